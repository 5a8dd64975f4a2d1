import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { type Received, type ReceiverOptions, startReceiver } from './receiver.ts';

const SECRET = `whsec_${Buffer.from('a secret of 24 bytes ....').toString('base64')}`;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => await Promise.all(stops.splice(0).map((stop) => stop())));

async function receiving(options: Partial<ReceiverOptions> = {}) {
  const received: Received[] = [];
  const { url, stop } = await startReceiver({
    ...{ port: 0, host: '127.0.0.1', onReceived: (one) => received.push(one) },
    ...options,
  });
  stops.push(stop);
  return { url, received };
}

function signed(body: string, secret = SECRET, at = new Date()): Record<string, string> {
  return {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign('evt_1', at, body),
    'databridge-attempt': '2',
    'databridge-event-type': 'root-cause',
  };
}

const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers });

test('a signed event is received with its id, attempt and type', async () => {
  const { url, received } = await receiving({ secret: SECRET });
  const body = '{"summary":{"company":"ACME"}}';
  expect((await post(url, body, signed(body))).status).toBe(200);
  expect(received).toEqual([
    expect.objectContaining({
      ...{ id: 'evt_1', attempt: 2, eventType: 'root-cause', signature: 'valid', status: 200 },
      body: { summary: { company: 'ACME' } },
    }),
  ]);
});

test.each([
  ['no signature', (): Record<string, string> => ({ 'webhook-id': 'evt_1' }), /missing/i],
  [
    'the signature of another key',
    (body: string) => signed(body, `whsec_${btoa('another key of 24 bytes.')}`),
    /no matching/i,
  ],
  ['the signature of another body', () => signed('{}'), /no matching/i],
  ['a timestamp of an hour ago', (body: string) => signed(body, SECRET, new Date(Date.now() - 3_600_000)), /too old/i],
])('%s is answered with 401, and why', async (_, headers, why) => {
  const { url, received } = await receiving({ secret: SECRET });
  const body = '{"a":1}';
  expect((await post(url, body, headers(body))).status).toBe(401);
  expect(received).toEqual([expect.objectContaining({ signature: 'invalid', problem: expect.stringMatching(why) })]);
});

test('the answer is shown as received, also a body that is not JSON', async () => {
  const { url, received } = await receiving({ secret: SECRET, status: 500, retryAfterSeconds: 5 });
  const answer = await post(url, 'no json', signed('no json'));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([500, '5']);
  expect(received).toEqual([expect.objectContaining({ signature: 'valid', body: 'no json', status: 500 })]);
});

test('a secret that is none, and a port that is taken, are refused; the secret is not quoted', async () => {
  await expect(receiving({ secret: 'whsec_%%%' })).rejects.toMatchObject({
    code: 'DB_INPUT_INVALID',
    message: expect.not.stringContaining('%%%'),
  });
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(receiving({ port })).rejects.toMatchObject({ message: expect.stringContaining('--port') });
  other.close();
});
