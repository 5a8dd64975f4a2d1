/** Every destination with every authentication: what is taken, what is refused and in which words, where secrets stand. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapSecrets } from './secret-places.ts';
import { decodeSubscription, encodeSubscription, formatIssues, parseSubscription } from './subscription.ts';
import { validityWarning } from './tls-identity.ts';

const BASE = { customer: 'acme', eventTypes: ['root-cause'], match: 'everything' };
const HTTP = { type: 'http', url: 'https://acme.example/hook' };
const GATEWAY = { type: 'api-gateway', url: 'https://abc.execute-api.eu-west-1.amazonaws.com/prod/events' };
const SNS = { type: 'sns', topicArn: 'arn:aws:sns:eu-west-1:123456789012:events.fifo' };
const SQS = { type: 'sqs', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/events.fifo' };
const KEYS = {
  type: 'aws',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const ROLE = { type: 'aws', roleArn: 'arn:aws:iam::123456789012:role/events', externalId: 'acme-17' };
const OAUTH = {
  type: 'oauth',
  tokenUrl: 'https://id.acme.example/token',
  clientId: 'databridge',
  clientSecret: 'client-secret-1',
  headers: { 'x-tenant': 'acme', 'x-token': { secret: 'header-secret' } },
  query: { 'api.version': { secret: 'query-secret' } },
  body: { resource: 'https://api', pin: { secret: 'body-secret' } },
};

let certificate = '';
let key = '';
let otherKey = '';

beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), 'databridge-tls-'));
  const make = (name: string) => {
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '90'];
    const out = ['-subj', '/CN=acme', '-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.crt`)];
    execFileSync('openssl', [...args, ...out], { stdio: 'ignore' });
  };
  make('one');
  make('two');
  certificate = readFileSync(join(dir, 'one.crt'), 'utf8');
  key = readFileSync(join(dir, 'one.key'), 'utf8');
  otherKey = readFileSync(join(dir, 'two.key'), 'utf8');
  rmSync(dir, { recursive: true });
});

function mistakes(more: Record<string, unknown>): string {
  const result = parseSubscription({ ...BASE, ...more });
  return result.ok ? '' : formatIssues(result.issues);
}

test('a phase may not have more time than the whole, which is 10 s by default', () => {
  const within = { timeoutMs: 5_000, connectTimeoutMs: 1_000, headersTimeoutMs: 5_000, bodyTimeoutMs: 2_000 };
  expect(mistakes({ destination: { ...HTTP, ...within } })).toBe('');
  expect(mistakes({ destination: { ...HTTP, timeoutMs: 900, connectTimeoutMs: 901, bodyTimeoutMs: 50 } })).toBe(
    'destination.bodyTimeoutMs must be at least 100; ' +
      'destination.connectTimeoutMs must be at most 900, the timeoutMs of the whole',
  );
  expect(mistakes({ destination: { ...SQS, headersTimeoutMs: 10_001 }, authentication: KEYS })).toBe(
    'destination.headersTimeoutMs must be at most 10000, the timeoutMs of the whole',
  );
});

test.each([
  ['http, OAuth', { destination: HTTP, authentication: OAUTH }],
  ['API Gateway, API key', { destination: GATEWAY, authentication: { type: 'api-key', name: 'x-api-key', key: 'k' } }],
  ['API Gateway, IAM', { destination: GATEWAY, authentication: KEYS }],
  ['SNS, keys', { destination: SNS, authentication: KEYS }],
  ['SNS, role', { destination: SNS, authentication: ROLE }],
  ['SQS, keys', { destination: SQS, authentication: KEYS }],
  [
    'SQS elsewhere, with a region',
    {
      destination: { type: 'sqs', queueUrl: 'http://localhost:9324/000000000000/q', region: 'eu-west-1' },
      authentication: KEYS,
    },
  ],
  ['Ed25519', { destination: HTTP, signing: { secrets: [`whsk_${Buffer.alloc(32, 1).toString('base64')}`] } }],
  ['CloudEvents', { destination: { ...HTTP, format: 'cloudevents-binary', handshake: true } }],
])('%s is taken', (_name, more) => {
  expect(mistakes(more)).toBe('');
});

test.each([
  [
    { destination: HTTP, authentication: KEYS },
    'authentication.type must be none or basic or api-key or oauth for http',
  ],
  [{ destination: SNS }, 'authentication.type must be aws for sns'],
  [
    { destination: { ...SQS, queueUrl: 'https://queues.example/q/events' }, authentication: ROLE },
    'destination.region is missing, and the host name of queueUrl does not contain it',
  ],
  [
    { destination: { ...SQS, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/' }, authentication: ROLE },
    'destination.queueUrl is not the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/events',
  ],
  [
    { destination: { type: 'sns', topicArn: 'events' }, authentication: ROLE },
    'destination.topicArn is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:events',
  ],
  [
    { destination: SNS, authentication: { type: 'aws' } },
    'authentication needs accessKeyId and secretAccessKey, or roleArn',
  ],
  [
    { destination: SNS, authentication: { ...KEYS, ...ROLE } },
    'authentication must have either keys or a role, not both',
  ],
  [{ destination: HTTP, authentication: { ...OAUTH, method: 'GET' } }, 'authentication.body a GET has none: use query'],
  [
    { destination: HTTP, authentication: { ...OAUTH, body: { grant_type: 'password' } } },
    'authentication.body.grant_type is set by Databridge itself',
  ],
  [
    { destination: HTTP, authentication: { ...OAUTH, scope: 'a', body: { scope: 'b' } } },
    'authentication.body.scope is already set by authentication.scope',
  ],
  [
    { destination: HTTP, authentication: { ...OAUTH, headers: { Authorization: 'x' } } },
    'authentication.headers.Authorization is set by client authentication in the header: choose clientAuthentication body',
  ],
  [
    { destination: HTTP, authentication: { ...OAUTH, query: { a: 7 } } },
    'authentication.query.a must be a printable string, or a map with the single key "secret"',
  ],
  [
    { destination: { ...SNS, topicArn: 'arn:aws-new:sns:eu-new-1:123456789012:events' }, authentication: ROLE },
    "destination.endpoint is missing: the endpoints of the partition aws-new are not known; give the service's URL",
  ],
  [
    { destination: { ...HTTP, handshake: true } },
    'destination.handshake is part of CloudEvents: choose a cloudevents format',
  ],
  [
    { destination: SNS, authentication: ROLE, signing: { secrets: [`whsec_${'A'.repeat(32)}`] } },
    'signing does not go with sns: AWS authenticates the sender',
  ],
])('%j is refused in words', (more, words) => {
  expect(mistakes(more)).toBe(words);
});

test('contradictions are reported together with malformed fields', () => {
  const authentication = {
    type: 'oauth',
    clientId: 'x',
    clientSecret: 'y',
    tokenUrl: 'nowhere',
    method: 'GET',
    body: { a: 'b' },
  };
  expect(mistakes({ destination: HTTP, authentication })).toBe(
    'authentication.tokenUrl is not a URL; authentication.body a GET has none: use query',
  );
});

describe('mutual TLS', () => {
  test('a certificate and its key are taken', () => {
    expect(
      mistakes({ destination: HTTP, tls: { clientCertificate: certificate, clientKey: key, ca: certificate } }),
    ).toBe('');
  });

  test("another one's key, half a pair, and what is no PEM are found when saved", () => {
    const of = (tls: object) => mistakes({ destination: HTTP, tls });
    expect(of({ clientCertificate: certificate, clientKey: otherKey })).toBe(
      'tls.clientKey does not belong to the client certificate',
    );
    expect(of({ clientCertificate: certificate })).toBe('tls.clientKey is missing');
    expect(of({ ca: 'acme' })).toBe('tls.ca is not a certificate in PEM');
    expect(of({ clientCertificate: certificate, clientKey: 'top-secret' })).toMatch(
      /^tls.clientKey is not an unencrypted private key/,
    );
  });

  test('a certificate that has run out, soon will, or is not valid yet is odd, not malformed', () => {
    const inDays = (days: number) => validityWarning(certificate, Date.now() + days * 86_400_000);
    expect(inDays(0)).toBeUndefined();
    expect(inDays(59)).toBeUndefined();
    expect(inDays(61)).toMatch(/^runs out soon, on \d{4}-/);
    expect(inDays(91)).toMatch(/^ran out on \d{4}-/);
    expect(inDays(-1)).toMatch(/^is not valid before \d{4}-/);
  });
});

test('each secret is mapped and sealed at every place, and none remains in plain text', () => {
  const subscriptions = [
    { destination: HTTP, authentication: OAUTH, tls: { clientCertificate: certificate, clientKey: key } },
    { destination: SQS, authentication: KEYS },
  ];
  const places: string[] = [];
  for (const more of subscriptions) {
    const parsed = parseSubscription({ ...BASE, ...more });
    if (!parsed.ok) throw new Error(formatIssues(parsed.issues));
    expect(() => encodeSubscription(parsed.subscription)).toThrow('is not sealed');
    const sealed = mapSecrets(parsed.subscription, (_secret, path) => {
      places.push(path);
      return 'eyJh.a.b.c.d';
    });
    const record = encodeSubscription(sealed);
    expect(record.toString()).not.toMatch(/(client|header|query|body)-secret|PRIVATE KEY|wJalrXU/);
    expect(decodeSubscription('acme', record)).toEqual({ ok: true, subscription: sealed });
  }
  expect(places).toEqual([
    'authentication.clientSecret',
    'authentication.headers.x-token.secret',
    'authentication.query.api.version.secret',
    'authentication.body.pin.secret',
    'tls.clientKey',
    'authentication.secretAccessKey',
  ]);
});

test.each([
  ['destination.headers', '{"X-A":"b","x-a":"c"}', /names one header twice: X-A and x-a/],
  ['destination.headers', '{"__proto__":"b"}', /is a name that cannot be used/],
  ['authentication.headers', '{"X-A":"b","x-a":{"secret":"c"}}', /names one header twice/],
  ['authentication.body', '{"__proto__":"b"}', /is a name that cannot be used/],
  ['authentication.query', '{"__proto__":{"secret":"b"}}', /is a name that cannot be used/],
])('%s: %s is refused, and not sent twice or dropped', (place, json, words) => {
  const [outer = '', inner = ''] = place.split('.');
  const oauth = { type: 'oauth', tokenUrl: 'https://id.example/', clientId: 'a', clientSecret: 'b' };
  const parts = { destination: { type: 'http', url: 'https://a.example/' }, authentication: oauth };
  const given = { ...parts, [outer]: { ...parts[outer as keyof typeof parts], [inner]: JSON.parse(json) } };
  const parsed = parseSubscription({ customer: 'a', eventTypes: ['root-cause'], match: 'everything', ...given });
  expect(parsed.ok ? [] : parsed.issues.map(({ message }) => message)).toEqual([expect.stringMatching(words)]);
});

test('the URL of a queue has no query', () => {
  const authentication = { type: 'aws', roleArn: 'arn:aws:iam::123456789012:role/x' };
  const destination = { type: 'sqs', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/q?Action=x' };
  const parsed = parseSubscription({
    ...{ customer: 'a', eventTypes: ['root-cause'], match: 'everything', destination, authentication },
  });
  expect(parsed.ok ? [] : parsed.issues.map(({ path }) => path.join('.'))).toEqual(['destination.queueUrl']);
});
