/** What the API refuses, and how much of it one caller may use; without Kafka, over real sockets where that matters. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createLogger } from '@databridge/kernel/log';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { ControlPlaneContext } from '../context.ts';
import type { SeenAttempt } from '../views/attempts/attempt-view.ts';
import { type ApiLimits, createApi } from './api.ts';
import type { Api } from './context.ts';

const log = createLogger('api-test', 'silent');
const [ann, acme, acmes, globex, bob] = [
  Tokens.generate('ann', 'operator'),
  Tokens.generate('ci', 'customer', 'acme'),
  Tokens.generate('ci', 'customer', 'acme'),
  Tokens.generate('ci', 'customer', 'globex'),
  Tokens.generate('bob', 'reader'),
];
const listeners = new Set<(seen: SeenAttempt) => void>();
let api: Api;

async function open(limits: Partial<ApiLimits>): Promise<Api> {
  const nothing = () => Promise.reject(new Error('nothing is called'));
  const operations = {
    log,
    subscriptions: async () => new Map(),
    workerStatuses: async () => new Map(),
  } as unknown as ControlPlaneContext;
  api = await createApi({
    operations,
    attempts: {
      find: () => [],
      events: () => [],
      since: () => ({ attempts: [], isWhole: true }),
      listen(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    events: { render: nothing, open: nothing },
    intake: { eventTypes: [], schemaIdOf: () => Promise.reject(new Error('nothing is called')) },
    writer: { isOwner: true, origin: undefined, owner: async () => undefined, change: nothing },
    callers: new Tokens([ann, acme, acmes, globex, bob].map(({ line }) => line).join('\n')),
    limits,
    log,
  });
  return api;
}
// The window of a minute must not end in the middle of a test, however slow the machine is.
const { now } = Date;
beforeEach(() => {
  const frozenMs = now();
  Date.now = () => frozenMs;
});
afterEach(async () => {
  Date.now = now;
  await api.close();
  listeners.clear();
});

const get = (token: string, url = '/v1/subscriptions') =>
  api.inject({ url, headers: { authorization: `Bearer ${token}` } });

test('wrong tokens are throttled, and a valid one from the same address is let in at any time', async () => {
  await open({ maxFailures: 20 });
  const wrong: Awaited<ReturnType<typeof get>>[] = [];
  for (let nth = 0; nth < 100; nth++) wrong.push(await get(`wrong-${nth}`));
  const count = (status: number) => wrong.filter(({ statusCode }) => statusCode === status).length;
  expect([count(401), count(429)]).toEqual([20, 80]);
  const throttled = wrong.find(({ statusCode }) => statusCode === 429);
  expect(throttled?.json()).toMatchObject({ code: 'DB_TOO_MANY_FAILURES' });
  expect(Number(throttled?.headers['retry-after'])).toBeGreaterThan(0);
  expect((await get(acme.token)).statusCode).toBe(200);
  expect((await get('wrong-again')).statusCode).toBe(429);
  expect((await api.inject('/v1/openapi.json')).statusCode).toBe(200);
});

test('each token has its own requests per minute, whatever its name is, and its answers state how many are left', async () => {
  await open({ perMinute: 3, operatorPerMinute: 10 });
  const answers = [];
  for (let nth = 0; nth < 4; nth++) answers.push(await get(acme.token));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429]);
  expect(answers.map(({ headers }) => headers['ratelimit-remaining'])).toEqual(['2', '1', '0', '0']);
  expect(answers[3]?.json()).toMatchObject({
    code: 'DB_RATE_LIMITED',
    detail: expect.stringContaining('3 requests per minute'),
  });
  expect(Number(answers[3]?.headers['retry-after'])).toBeGreaterThan(0);
  expect((await get(globex.token)).statusCode).toBe(200);
  for (let nth = 0; nth < 5; nth++) expect((await get(ann.token)).statusCode).toBe(200);
  // Paths that do not exist count like those that do.
  for (let nth = 0; nth < 3; nth++) await get(bob.token, '/v1/nothing');
  expect((await get(bob.token, '/v1/nothing')).statusCode).toBe(429);
});

test('what is no route is 404, and another method than the path has is 405 with those that it has', async () => {
  await open({});
  for (const { token } of [ann, bob, acme]) expect((await get(token, '/v1/nothing')).statusCode).toBe(404);
  const wrong = await api.inject({
    ...{ method: 'DELETE', url: '/v1/filters/try' },
    headers: { authorization: `Bearer ${bob.token}` },
  });
  expect([wrong.statusCode, wrong.headers['allow'], wrong.json().code]).toEqual([405, 'POST', 'DB_METHOD_NOT_ALLOWED']);
  // A method with a body that is not there, or of no known kind, is refused for the method.
  const query = await api.inject({
    ...{ method: 'QUERY' as 'POST', url: '/v1/status' },
    headers: { authorization: `Bearer ${bob.token}` },
  });
  expect([query.statusCode, query.headers['allow']]).toEqual([405, 'GET, HEAD']);
  // Not those of /dead-letters/:id, which this path fits as well.
  const literal = await api.inject({
    ...{ method: 'DELETE', url: '/v1/subscriptions/acme/dead-letters/redrives' },
    headers: { authorization: `Bearer ${bob.token}` },
  });
  expect([literal.statusCode, literal.headers['allow']]).toEqual([405, 'POST']);
});

test.each([
  ['authority form', 'POST 127.0.0.1:9 HTTP/1.1', 'DB_TARGET_REFUSED'],
  ['absolute form', 'GET http://127.0.0.1:9/v1/subscriptions HTTP/1.1', 'DB_TARGET_REFUSED'],
  ['an unknown method', 'FROB /v1/subscriptions HTTP/1.1', 'DB_INPUT_INVALID'],
])('bytes that are no request are answered by a problem: %s', async (_, line, code) => {
  await open({});
  await api.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  expect(String(answer)).toMatch(/^HTTP\/1\.1 400 /);
  expect(String(answer)).toContain(code);
});

const sockets: Socket[] = [];
// The server's end does not end a socket that is paused.
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** An open stream, read only when asked. */
async function stream(token: string) {
  const { port } = api.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.write(`GET /v1/attempts/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
  const [head] = await once(socket, 'data');
  socket.pause();
  return { socket, status: Number(String(head).split(' ')[1]), text: String(head) };
}

test('live streams are bounded for each tenant and in all, and a closed one makes room', async () => {
  await open({ maxStreams: 3, maxStreamsPerTenant: 2 });
  await api.listen({ host: '127.0.0.1', port: 0 });
  const mine = [await stream(acme.token), await stream(acmes.token)];
  expect(mine.map(({ status }) => status)).toEqual([200, 200]);
  const tooMany = await stream(acme.token);
  expect([tooMany.status, tooMany.text]).toEqual([429, expect.stringContaining('DB_RATE_LIMITED')]);
  expect((await stream(globex.token)).status).toBe(200);
  const full = await stream(bob.token);
  expect([full.status, full.text]).toEqual([503, expect.stringContaining('DB_BUSY')]);
  mine[0]?.socket.destroy();
  let again = await stream(acme.token);
  for (let nth = 0; nth < 100 && again.status !== 200; nth++) again = await stream(acme.token);
  expect(again.status).toBe(200);
});

test('a reader of a stream that does not keep up is disconnected, and others go on', async () => {
  await open({});
  await api.listen({ host: '127.0.0.1', port: 0 });
  const [slow, quick] = [await stream(globex.token), await stream(acme.token)];
  const closed = once(slow.socket, 'close');
  let received = 0;
  quick.socket.on('data', (data) => {
    received += data.length;
  });
  quick.socket.resume();
  const attempt = { eventId: 'x', error: 'e'.repeat(60_000) } as unknown as SeenAttempt['attempt'];
  const send = (customer: string, offset: number) => {
    for (const listener of listeners) listener({ place: `0/${offset}/0`, customer, attempt });
  };
  for (let nth = 0; nth < 400; nth++) {
    send('globex', nth);
    if (nth % 20 === 0) send('acme', nth);
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.socket.resume();
  await closed;
  const before = received;
  send('acme', 1_000);
  await once(quick.socket, 'data');
  expect(received).toBeGreaterThan(before);
});

test.each([
  [
    'nested 5,000 deep',
    `{"filter":"true","event":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
    422,
    /nested deeper than 64/,
  ],
  [
    'with a hundred thousand keys',
    JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, nth) => [nth, 1]))),
    422,
    /more than 20000 values/,
  ],
  ['with a __proto__ key', '{"filter":"true","event":{"__proto__":{"a":1}}}', 422, /__proto__/],
])('a body %s is refused with a clear error', async (_, payload, status, detail) => {
  await open({});
  const headers = { authorization: `Bearer ${acme.token}`, 'content-type': 'application/json' };
  const answer = await api.inject({ method: 'POST', url: '/v1/filters/try', payload, headers });
  expect([answer.statusCode, answer.body]).toEqual([status, expect.stringMatching(detail)]);
});
