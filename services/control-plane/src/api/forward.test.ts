/** Two control planes' APIs over real sockets, and a recorder between them that sees what goes over the wire. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { ControlPlaneContext } from '../context.ts';
import { Assertions } from '../forwarding/assertion.ts';
import type { Owner } from '../forwarding/owner-record.ts';
import { peerKeys } from '../forwarding/peer-keys.ts';
import { createApi } from './api.ts';
import type { Api } from './context.ts';

const log = createLogger('forward-test', 'silent');
const SECRET = 'canary-77aa';
const newDesk = () => new SealingDesk(parseKeySet(generateKeySet('2026').controlPlane));
const desk = newDesk();
const acme = Tokens.generate('ci', 'customer', 'acme');
const ann = Tokens.generate('ann', 'operator');
const changes: { readonly who: unknown; readonly customer: string | undefined }[] = [];

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let owner: Api;
let ownerOrigin: string;
let recorder: Server;
let recorderOrigin: string;
let recorded: Recorded[];
let standby: Api;
let standbyPort: number;
let nowMs: number;

async function apiWith(writer: {
  isOwner: boolean;
  origin: string;
  owner(): Promise<Owner | undefined>;
}): Promise<Api> {
  const egress = { urlRefusal: () => undefined };
  const operations = { log, egress, desk, eventTypes: [], workers: () => [], subscriptions: async () => new Map() };
  return await createApi({
    operations: operations as unknown as ControlPlaneContext,
    attempts: {
      find: () => [],
      events: () => [],
      listen: () => () => undefined,
      since: () => ({ attempts: [], isWhole: true }),
    },
    events: { render: async () => ({}) as never, open: async () => ({}) as never },
    intake: { eventTypes: [], schemaIdOf: () => Promise.reject(new Error('nothing is called')) },
    callers: new Tokens(`${acme.line}\n${ann.line}`),
    assertions: new Assertions(peerKeys(desk), () => nowMs),
    writer: {
      ...writer,
      get isOwner() {
        return writer.isOwner;
      },
      change: async (who, customer) => {
        changes.push({ who, customer });
        return { customer, before: 'active', after: 'paused' } as never;
      },
    },
    log,
  });
}

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeEach(async () => {
  nowMs = Date.now();
  recorded = [];
  changes.length = 0;
  // The owner is known by the recorder's address, as if that were a proxy before it.
  recorder = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    recorded.push({ method, url, headers, body });
    const answer = await sendAgain({ method, url, headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  recorder.listen(0, '127.0.0.1');
  await once(recorder, 'listening');
  recorderOrigin = originOf(recorder);
  owner = await apiWith({ isOwner: true, origin: recorderOrigin, owner: async () => undefined });
  ownerOrigin = await owner.listen({ host: '127.0.0.1', port: 0 });
  const record = { origin: recorderOrigin, term: 1, kids: desk.kids };
  standby = await apiWith({ isOwner: false, origin: 'http://standby.test', owner: async () => record });
  await standby.listen({ host: '127.0.0.1', port: 0 });
  standbyPort = (standby.server.address() as AddressInfo).port;
});

afterEach(async () => {
  await standby.close();
  await owner.close();
  recorder.close();
  recorder.closeAllConnections();
});

/** @param changed what somebody on the way changes of it */
async function sendAgain(request: Recorded, changed: Partial<Recorded> = {}, origin = ownerOrigin) {
  const { method, url, headers, body } = { ...request, ...changed };
  const answer = await fetch(`${origin}${url}`, {
    method,
    headers: Object.fromEntries(
      Object.entries(headers).filter(
        ([name, value]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name) && value,
      ),
    ) as Record<string, string>,
    ...(body !== '' && { body }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** One request as raw bytes, so that the target arrives as it stands. */
async function raw(method: string, target: string, token = acme.token): Promise<{ status: number; text: string }> {
  const socket = connect(standbyPort, '127.0.0.1');
  socket.write(
    `${method} ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
  );
  const answer = await text(socket);
  return { status: Number(answer.split(' ')[1]), text: answer };
}

const pause = () => raw('POST', '/v1/subscriptions/acme/pause');
const compare = (key = SECRET) =>
  fetch(`http://127.0.0.1:${standbyPort}/v1/subscriptions/acme/comparisons`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ann.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      eventTypes: ['root-cause'],
      match: { company: ['ACME'] },
      destination: { type: 'http', url: 'https://example.com/' },
      authentication: { type: 'api-key', name: 'x-key', key },
    }),
  });

test('a change is made by the owner in the caller’s name, and its answer comes back', async () => {
  const answer = await pause();
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('"after":"paused"');
  expect(changes).toEqual([
    { who: expect.objectContaining({ name: 'ci', role: 'customer', customer: 'acme' }), customer: 'acme' },
  ]);
});

test('opening a dead letter is sent on too, since the writer notes who read it', async () => {
  await raw('GET', '/v1/subscriptions/acme/dead-letters/evt-1%40root-cause.events%2F0%2F7');
  expect(recorded.map(({ method, url }) => [method, url])).toEqual([
    ['GET', '/v1/subscriptions/acme/dead-letters/evt-1%40root-cause.events%2F0%2F7'],
  ]);
});

test('neither the caller’s token nor a secret of the body goes over the wire', async () => {
  const answer = await compare();
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ change: 'created' })]);
  expect(recorded).toHaveLength(1);
  const wire = JSON.stringify(recorded);
  expect(wire).not.toContain(ann.token);
  expect(wire).not.toContain(SECRET);
  expect(wire).not.toContain(Buffer.from(SECRET).toString('base64url').slice(0, 10));
});

test.each([
  ['absolute form', (port: number) => `http://127.0.0.1:${port}/v1/subscriptions/acme/pause`],
  ['absolute form with the owner’s own address', () => `${recorderOrigin}/v1/subscriptions/acme/pause`],
  ['authority form', (port: number) => `127.0.0.1:${port}`],
  ['backslashes', () => '/v1/subscriptions/acme/secrets/..\\..\\admin\\delete?all=1'],
  ['encoded dot segments', () => '/v1/subscriptions/acme/%2e%2e/acme/pause'],
  ['encoded slashes', () => '/v1/subscriptions/acme/secrets/..%2f..%2fadmin'],
  ['double encoding', () => '/v1/subscriptions/acme/secrets/%252e%252e%252fadmin'],
  ['control characters', () => '/v1/subscriptions/acme/secrets/a%0d%0ax'],
])('a target that two parsers may read differently is refused with 400 and goes nowhere: %s', async (_, targetAt) => {
  const elsewhere = createServer((_request, response) => response.end('inner'));
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  let reached = 0;
  elsewhere.on('connection', () => reached++);
  const { status, text: answer } = await raw('POST', targetAt((elsewhere.address() as AddressInfo).port));
  elsewhere.close();
  expect(status).toBe(400);
  expect(answer).toContain('DB_TARGET_REFUSED');
  expect([recorded.length, reached]).toEqual([0, 0]);
});

test('an assertion is good once', async () => {
  await pause();
  const again = await sendAgain(recorded[0] as Recorded);
  expect(again).toMatchObject({ status: 401, body: { code: 'DB_FORWARDING_REFUSED' } });
  expect(again.body['detail']).toMatch(/used before/);
  expect(changes).toHaveLength(1);
});

/** What the standby would send, without it being used: by an owner that drops it. */
async function unused(call: () => Promise<unknown>): Promise<Recorded> {
  recorder.removeAllListeners('request');
  const taken = new Promise<Recorded>((resolve) => {
    recorder.once('request', async (request, response) => {
      const { method = '', url = '', headers } = request;
      const body = await text(request);
      response.writeHead(500).end('{}');
      resolve({ method, url, headers, body });
    });
  });
  await call();
  return await taken;
}

test('an assertion is good for seconds', async () => {
  const request = await unused(pause);
  nowMs += 60_000;
  expect(await sendAgain(request)).toMatchObject({ status: 401, body: { code: 'DB_FORWARDING_REFUSED' } });
  nowMs -= 60_000;
  expect((await sendAgain(request)).status).toBe(200);
});

test.each<[string, (request: Recorded) => Partial<Recorded>]>([
  ['another action', () => ({ url: '/v1/subscriptions/acme/disable' })],
  ['another customer', () => ({ url: '/v1/subscriptions/globex/pause' })],
  ['another query', () => ({ url: '/v1/subscriptions/acme/pause?waiting=discard' })],
  ['another condition', ({ headers }) => ({ headers: { ...headers, 'if-match': '"x"' } })],
  ['another idempotency key', ({ headers }) => ({ headers: { ...headers, 'idempotency-key': 'mine' } })],
  [
    'a body where there was none',
    ({ headers }) => ({ headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }),
  ],
])('an assertion for one request is not one for %s', async (_, changed) => {
  const request = await unused(pause);
  const answer = await sendAgain(request, changed(request));
  expect(answer).toMatchObject({ status: 401, body: { code: 'DB_FORWARDING_REFUSED' } });
  expect(changes).toEqual([]);
});

test('a body is the one that the assertion was made for, or it is refused', async () => {
  const [first, second] = [await unused(() => compare('one-key')), await unused(() => compare('other-key'))];
  for (const body of [second.body, '', '{}']) {
    const answer = await sendAgain(first, { body, headers: { ...first.headers } });
    expect(answer).toMatchObject({ status: 401, body: { code: 'DB_FORWARDING_REFUSED' } });
  }
  const plain = { ...second.headers, 'content-type': 'application/json' };
  expect((await sendAgain(second, { headers: plain, body: '{}' })).status).toBe(401);
});

test('an assertion is for one receiver', async () => {
  const request = await unused(pause);
  const other = await apiWith({ isOwner: true, origin: 'http://other.test', owner: async () => undefined });
  const origin = await other.listen({ host: '127.0.0.1', port: 0 });
  const answer = await sendAgain(request, {}, origin);
  await other.close();
  expect(answer).toMatchObject({ status: 401, body: { code: 'DB_FORWARDING_REFUSED' } });
});

test('an assertion under a key of somebody else is refused', async () => {
  const stranger = new Assertions(peerKeys(newDesk()));
  const call = {
    ...{ method: 'POST', target: '/v1/subscriptions/acme/pause', headers: {} },
    caller: { id: 'x', name: 'x', role: 'operator' as const },
  };
  const assertion = await stranger.sign(call, '', { origin: recorderOrigin }, '2026');
  const answer = await sendAgain({
    ...{ method: 'POST', url: call.target, body: '' },
    headers: { authorization: `Databridge-Assertion ${assertion}` },
  });
  expect(answer).toMatchObject({ status: 401, body: { code: 'DB_FORWARDING_REFUSED' } });
});

test('a request that was forwarded is never forwarded again, so two that take each other for the owner end at once', async () => {
  const kids = desk.kids;
  const loop = {
    isOwner: false,
    origin: recorderOrigin,
    owner: async () => ({ origin: recorderOrigin, term: 1, kids }),
  };
  await owner.close();
  owner = await apiWith(loop);
  ownerOrigin = await owner.listen({ host: '127.0.0.1', port: 0 });
  const request = await unused(pause);
  const answer = await sendAgain(request);
  expect(answer).toMatchObject({ status: 503, body: { code: 'DB_NOT_THE_WRITER' } });
});
