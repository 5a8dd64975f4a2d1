/** What API Gateway would check: each request is signed again by botocore, AWS's own code, and the signatures compared. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { message, openFor } from '../harness/destinations.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { python } from '../harness/peers/python.ts';
import { Front, type Passed } from '../harness/services/front.ts';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

const SIGN_AGAIN = `
import json, re, sys
from datetime import datetime
import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
given = json.load(sys.stdin)
headers = given['headers']
signed = re.search('SignedHeaders=([^,]+)', headers['authorization']).group(1).split(';')
when = datetime.strptime(headers['x-amz-date'], '%Y%m%dT%H%M%SZ')
request = AWSRequest(method=given['method'], url='http://' + headers['host'] + given['url'], data=given['body'].encode(),
    headers={name: headers[name] for name in signed if name not in ('x-amz-date', 'x-amz-security-token')})
botocore.auth.get_current_datetime = lambda *a, **k: when
SigV4Auth(Credentials(given['key'], given['secret'], headers.get('x-amz-security-token')), 'execute-api', 'eu-west-1').add_auth(request)
print(request.headers['Authorization'])
`;

let interpreter: string;

beforeAll(async () => {
  interpreter = (await python())('python');
}, FETCH_TIMEOUT_MS);

async function signedAgain({ method, url, headers, body }: Passed, secret = KEYS.secretAccessKey): Promise<string> {
  const run = promisify(execFile)(interpreter, ['-c', SIGN_AGAIN]);
  run.child.stdin?.end(JSON.stringify({ method, url, headers, body, key: KEYS.accessKeyId, secret }));
  return (await run).stdout.trim();
}

test.each([
  ['a plain path', '/prod/events', 'POST'],
  [
    'a query out of order, with repeated names and characters to be encoded',
    '/prod/events?z=1&a=x%2Fy&a=b%20c&empty=&q=%27(!*)',
    'POST',
  ],
  ['a path to be encoded', '/prod/a%20b/%C3%BC/%7Bid%7D', 'PUT'],
])('%s', async (_what, path, method) => {
  const front = await Front.start();
  const destination = {
    type: 'api-gateway',
    url: front.origin + path,
    region: 'eu-west-1',
    method,
    headers: { 'x-tenant': ' a  b ' },
  };
  const opened = openFor({ destination, authentication: { type: 'aws', ...KEYS } });
  const sent = await opened.send(message(), Date.now());
  expect(sent?.outcome.kind).toBe('delivered');
  const [request] = front.passed as [Passed];
  expect(await signedAgain(request)).toBe(request.headers.authorization);
  expect(await signedAgain(request, 'another secret')).not.toBe(request.headers.authorization);
  expect(request.headers.authorization).toMatch(/SignedHeaders=[^,]*content-type;[^,]*host;[^,]*webhook-id/);
});
