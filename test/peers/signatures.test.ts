/** Standard Webhooks, verified in Python: by the reference library (v1), and for Ed25519 (v1a), which it lacks, by `cryptography`. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { promisify } from 'node:util';
import { message, openFor } from '../harness/destinations.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { python } from '../harness/peers/python.ts';
import { Front } from '../harness/services/front.ts';

const VERIFY = `
import base64, json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
given = json.load(sys.stdin)
headers, body = given['headers'], given['body']
verified = {}
for name, secret in given['secrets'].items():
    try:
        Webhook(secret).verify(body, headers)
        verified[name] = True
    except WebhookVerificationError:
        verified[name] = False
signature = next(s for s in headers['webhook-signature'].split(' ') if s.startswith('v1a,'))
signed = '.'.join([headers['webhook-id'], headers['webhook-timestamp'], body]).encode()
Ed25519PublicKey.from_public_bytes(base64.b64decode(given['publicKey'])).verify(base64.b64decode(signature[4:]), signed)
print(json.dumps(verified))
`;

let interpreter: string;

beforeAll(async () => {
  interpreter = (await python())('python');
}, FETCH_TIMEOUT_MS);

test('symmetric and Ed25519 side by side, each good for its own key alone', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const [ours, stranger] = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);
  const front = await Front.start();
  const signing = { secrets: [ours, `whsk_${Buffer.concat([seed, raw]).toString('base64')}`] };
  await openFor({ destination: { type: 'http', url: front.origin }, signing }).send(message(), Date.now());
  const [request] = front.passed;
  const run = promisify(execFile)(interpreter, ['-c', VERIFY]);
  const given = {
    headers: request?.headers,
    body: request?.body,
    secrets: { ours, stranger },
    publicKey: raw.toString('base64'),
  };
  run.child.stdin?.end(JSON.stringify(given));
  expect(JSON.parse((await run).stdout)).toEqual({ ours: true, stranger: false });
});
