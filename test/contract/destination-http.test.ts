/** HTTP and API Gateway, against an endpoint that does what real ones do on bad days. */
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import type { TimeSettings } from '@databridge/schemas/destination/time-limits';
import { CloudEvent, HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { message, openFor } from '../harness/destinations.ts';
import { Front } from '../harness/services/front.ts';
import { destinationSuite, type Kind } from './destination-suite.ts';

const answers: Kind['answers'] = {
  retryable: { status: 503 },
  refused: { status: 422, body: 'no such folder' },
  throttled: { status: 429 },
  unauthorized: { status: 403 },
};

function kindOf(
  destination: Record<string, unknown>,
  authentication: Record<string, unknown>,
  tooLarge: Kind['tooLarge'],
): Kind {
  let front: Front;
  return {
    answers,
    tooLarge,
    acceptsByStatus: true,
    async open(times) {
      front = await Front.start();
      const opened = openFor({
        destination: { ...destination, url: `${front.origin}/events?a=b`, ...times },
        authentication,
      });
      return { destination: opened, front };
    },
    bodies: async () => front.passed.map(({ body }) => body),
  };
}

const KEYS = {
  type: 'aws',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const OVER_10_MIB = { bytes: 10_485_760 };
const over = { bytes: 100_000, answer: { status: 413 } };

destinationSuite('http', kindOf({ type: 'http' }, { type: 'basic', username: 'ü', password: 'pässword' }, over));
destinationSuite('http, compressed', kindOf({ type: 'http', gzip: true, method: 'PUT' }, { type: 'none' }, over));
destinationSuite(
  'API Gateway with an API key',
  kindOf({ type: 'api-gateway' }, { type: 'api-key', name: 'x-api-key', key: 'abc-key' }, OVER_10_MIB),
);
destinationSuite('API Gateway with IAM', kindOf({ type: 'api-gateway', region: 'eu-west-1' }, KEYS, OVER_10_MIB));

async function sentTo(parts: Record<string, unknown>, event = message()) {
  const front = await Front.start();
  const { destination, ...rest } = parts;
  const opened = openFor({
    destination: { type: 'http', url: `${front.origin}/events`, ...(destination as object) },
    ...rest,
  });
  const sent = await opened.send(event, Date.now());
  const [request] = front.passed;
  if (!request) throw new Error(`nothing came: ${JSON.stringify(sent)}`);
  return { request, event, front, sent };
}

test('Basic is in UTF-8, an API key in the header that the customer names', async () => {
  const basic = await sentTo({ authentication: { type: 'basic', username: 'jürgen', password: 'pässword:1' } });
  const pair = Buffer.from(String(basic.request.headers.authorization).slice('Basic '.length), 'base64').toString(
    'utf8',
  );
  expect(pair).toBe('jürgen:pässword:1');
  const keyed = await sentTo({ authentication: { type: 'api-key', name: 'X-Acme-Key', key: 'k 1' } });
  expect(keyed.request.headers['x-acme-key']).toBe('k 1');
});

test('PUT, static headers, and large bodies compressed where asked for', async () => {
  const body = JSON.stringify({ text: 'x'.repeat(5_000) });
  const destination = { method: 'PUT', headers: { 'X-Tenant': 'acme' }, gzip: true };
  const large = await sentTo({ destination }, message({ body }));
  expect(large.request).toMatchObject({ method: 'PUT', body });
  expect(large.request.headers).toMatchObject({ 'x-tenant': 'acme', 'content-encoding': 'gzip' });
  expect(Number(large.request.headers['content-length'])).toBeLessThan(200);
  const small = await sentTo({ destination });
  expect(small.request.headers['content-encoding']).toBeUndefined();
});

test('a redirect is not followed', async () => {
  const elsewhere = await Front.start();
  const front = await Front.start();
  front.manner = { status: 307, headers: { location: `${elsewhere.origin}/` } };
  const sent = await openFor({ destination: { type: 'http', url: `${front.origin}/` } }).send(message(), Date.now());
  expect(sent?.outcome).toMatchObject({ kind: 'refused', status: 307 });
  expect(elsewhere.passed).toHaveLength(0);
});

test('of an answer 2 KB are kept, and no secret that it echoes', async () => {
  const front = await Front.start();
  front.manner = ({ headers }) => ({ status: 400, body: `${headers.authorization} top-secret ${'x'.repeat(100_000)}` });
  const authentication = { type: 'basic', username: 'u', password: 'top-secret' };
  const sent = await openFor({ destination: { type: 'http', url: front.origin }, authentication }).send(
    message(),
    Date.now(),
  );
  expect(sent?.outcome).toMatchObject({ kind: 'refused', status: 400 });
  expect(sent?.answerBody).toMatch(/^Basic \[secret\] \[secret\] x+$/);
  expect(sent?.answerBody?.length).toBeLessThan(2_100);
});

test('who accepts a connection and never speaks TLS: no connection in time', async () => {
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const accepted = once(silent, 'connection') as Promise<[Socket]>;
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
  const sent = await openFor({ destination: { type: 'http', url, connectTimeoutMs: 300 } }).send(message(), Date.now());
  expect(sent?.outcome).toEqual({ kind: 'retry', reason: 'no connection within 300 ms' });
  // Nobody reads from it, so its end is never seen.
  (await accepted)[0].destroy();
  silent.close();
});

test('waiting for the worker’s own connections is charged to nobody, however short its time-outs', async () => {
  const budget = new ConnectionBudget(1);
  const front = await Front.start();
  const open = (times: TimeSettings) =>
    openFor({ destination: { type: 'http', url: front.origin, ...times } }, { budget });
  // Holds the one connection for longer than the others would wait for an answer.
  front.manner = ({ headers }) => (headers['webhook-id'] === 'slow' ? 'hang' : 'pass');
  const slow = open({ timeoutMs: 4_000 }).send(message({ eventId: 'slow' }), Date.now());
  await front.came(1);
  const waiting = [open({ timeoutMs: 1_500 }), open({ timeoutMs: 3_000, connectTimeoutMs: 1_500 })].map((destination) =>
    destination.send(message(), Date.now()),
  );
  expect((await slow)?.outcome).toEqual({ kind: 'retry', reason: 'no answer within 4000 ms' });
  for (const sent of await Promise.all(waiting)) expect(sent?.outcome).toEqual({ kind: 'delivered', status: 200 });
  expect(budget.openCount).toBeLessThanOrEqual(1);
});

describe('signing', () => {
  const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);

  test('two symmetric keys: the reference library accepts either', async () => {
    const { request, event } = await sentTo({ signing: { secrets } });
    for (const secret of secrets) {
      const verified = new Webhook(secret).verify(request.body, request.headers as Record<string, string>);
      expect(verified).toEqual(JSON.parse(event.body.toString()));
    }
    const stranger = new Webhook(`whsec_${Buffer.alloc(32, 3).toString('base64')}`);
    expect(() => stranger.verify(request.body, request.headers as Record<string, string>)).toThrow();
  });

  test('Ed25519 beside a symmetric key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
    const { request } = await sentTo({ signing: { secrets: [`whsk_${seed.toString('base64')}`, secrets[0]] } });
    const [asymmetric = '', symmetric = ''] = String(request.headers['webhook-signature']).split(' ');
    expect(symmetric).toMatch(/^v1,/);
    expect(asymmetric).toMatch(/^v1a,/);
    const signed = Buffer.from(
      `${request.headers['webhook-id']}.${request.headers['webhook-timestamp']}.${request.body}`,
    );
    expect(verify(null, signed, publicKey, Buffer.from(asymmetric.slice('v1a,'.length), 'base64'))).toBe(true);
    // Libraries that know only v1 pass over what they don't know.
    new Webhook(secrets[0] ?? '').verify(request.body, request.headers as Record<string, string>);
  });
});

describe('CloudEvents', () => {
  test.each(['cloudevents-binary', 'cloudevents-structured'])('%s is what the SDK reads', async (format) => {
    const event = message({ eventId: 'evt "1" %ü' });
    const { request } = await sentTo({ destination: { format } }, { ...event, eventId: 'evt_1' });
    const read = HTTP.toEvent({ headers: request.headers, body: request.body });
    if (!(read instanceof CloudEvent)) throw new Error('one event was sent');
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({
      specversion: '1.0',
      id: 'evt_1',
      type: 'databridge.root-cause.v1.0',
      source: '/databridge/events',
      datacontenttype: 'application/json',
      traceparent: event.traceparent,
      data: JSON.parse(event.body.toString()),
    });
  });

  const destination = { format: 'cloudevents-binary', handshake: true };

  test('the handshake asks once, keeps to the rate allowed, and goes before the first event', async () => {
    const front = await Front.start();
    const headers = { 'webhook-allowed-origin': 'databridge.example', 'webhook-allowed-rate': '120' };
    front.manner = ({ method }) => (method === 'OPTIONS' ? { status: 200, headers } : 'pass');
    const rates: number[] = [];
    const opened = openFor(
      { destination: { type: 'http', url: `${front.origin}/hook`, ...destination }, ratePerSecond: 10 },
      { onRate: (rate) => rates.push(rate) },
    );
    const sent = await Promise.all(Array.from({ length: 5 }, () => opened.send(message(), Date.now())));
    expect(sent.map((one) => one?.outcome.kind)).toEqual(Array(5).fill('delivered'));
    expect(front.passed.map(({ method }) => method)).toEqual(['OPTIONS', ...Array(5).fill('POST')]);
    expect(front.passed[0]?.headers).toMatchObject({
      'webhook-request-origin': 'databridge.example',
      'webhook-request-rate': '600',
    });
    expect(rates).toEqual([2]);
  });

  test.each([
    ['repeated: the lowest counts', ['600', '120'], [2]],
    ['joined by a proxy', '600, 120', [2]],
    ['no number', '*', []],
    ['nothing at all', '0', []],
    ['so little that nothing would ever be sent: one an hour', '0.0000001', [1 / 3_600]],
  ])('an allowed rate %s', async (_what, rate, expected) => {
    const front = await Front.start();
    const headers = { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': rate };
    front.manner = ({ method }) => (method === 'OPTIONS' ? { status: 200, headers } : 'pass');
    const rates: number[] = [];
    const target = { type: 'http', url: `${front.origin}/hook`, ...destination };
    const opened = openFor({ destination: target }, { onRate: (perSecond) => rates.push(perSecond) });
    expect((await opened.send(message(), Date.now()))?.outcome.kind).toBe('delivered');
    expect(rates).toEqual(expected);
  });

  test('who does not allow it is sent nothing', async () => {
    const { sent, front } = await sentTo({ destination });
    expect(sent?.outcome).toMatchObject({ kind: 'deauthorized', reason: expect.stringContaining('may not send') });
    expect(front.passed.map(({ method }) => method)).toEqual(['OPTIONS']);
  });
});

test('SigV4 signs the body, the query and the host', async () => {
  const front = await Front.start();
  const url = `${front.origin}/prod/a%20b?z=1&a=x%2Fy&a=b%20c`;
  const opened = openFor({ destination: { type: 'api-gateway', url, region: 'eu-west-1' }, authentication: KEYS });
  await opened.send(message(), Date.now());
  const [request] = front.passed;
  expect(request?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-west-1\/execute-api\/aws4_request, SignedHeaders=.*\bhost\b.*, Signature=[0-9a-f]{64}$/,
  );
  const digest = createHash('sha256')
    .update(request?.body ?? '')
    .digest('hex');
  expect(request?.headers['x-amz-content-sha256']).toBe(digest);
  expect(request?.url).toBe('/prod/a%20b?z=1&a=x%2Fy&a=b%20c');
});
