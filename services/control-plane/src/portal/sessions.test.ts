/** Sessions of the portal, over the API as a browser asks it. */
import { createLogger } from '@databridge/kernel/log';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { createApi } from '../api/api.ts';
import type { Api } from '../api/context.ts';
import type { ControlPlaneContext } from '../context.ts';
import { MemorySessionStore } from './session-store.ts';
import { MAX_SESSIONS_PER_CALLER, SESSION_MS, Sessions } from './sessions.ts';

const TOKENS = {
  ann: Tokens.generate('ann', 'operator'),
  acme: Tokens.generate('acme-ops', 'customer', 'acme'),
};
const log = createLogger('sessions-test', 'silent');
let tokens = new Tokens(
  Object.values(TOKENS)
    .map(({ line }) => line)
    .join(),
);
let store: MemorySessionStore;
let api: Api;

beforeEach(async () => {
  tokens = new Tokens(
    Object.values(TOKENS)
      .map(({ line }) => line)
      .join(),
  );
  store = new MemorySessionStore();
  const nothing = () => Promise.reject(new Error('nothing is called'));
  api = await createApi({
    ...{ log, callers: { callerOf: (token) => tokens.callerOf(token), callerById: (id) => tokens.callerById(id) } },
    operations: {
      log,
      subscriptions: async () => new Map(),
      workerStatuses: async () => new Map(),
    } as unknown as ControlPlaneContext,
    attempts: {
      find: () => [],
      events: () => [],
      listen: () => () => undefined,
      since: () => ({ attempts: [], isWhole: true }),
    },
    events: { render: nothing, open: nothing },
    intake: { eventTypes: [], schemaIdOf: nothing },
    sessions: new Sessions(store, (id) => tokens.callerById(id)),
    writer: { isOwner: true, origin: undefined, owner: async () => undefined, change: nothing },
  });
});
afterEach(() => api.close());

type Headers = Readonly<Record<string, string>>;
const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, headers: Headers) => api.inject({ method, url, headers });

async function signIn(bearer: string) {
  const answer = await ask('POST', '/v1/sessions', { authorization: `Bearer ${bearer}` });
  const setCookie = String(answer.headers['set-cookie']);
  return {
    status: answer.statusCode,
    setCookie,
    cookie: setCookie.split(';')[0] ?? '',
    id: answer.json().id as string,
  };
}

const OWN_PAGE = { host: 'portal.example', origin: 'https://portal.example', 'sec-fetch-site': 'same-origin' };

test('a token is exchanged for a cookie that no script reads, and that counts as its holder', async () => {
  const { setCookie, cookie, id } = await signIn(TOKENS.acme.token);
  for (const part of ['__Host-', 'Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']) expect(setCookie).toContain(part);
  const me = (await ask('GET', '/v1/me', { ...OWN_PAGE, cookie })).json();
  expect(me).toMatchObject({ name: 'acme-ops', role: 'customer', customer: 'acme', session: { id } });
  expect(me.may).toEqual({ oversee: false, act: true, operate: false, payload: true });
  // What is stored does not let anybody in.
  expect(JSON.stringify([...store])).not.toContain(cookie.split('=')[1]);
  expect((await ask('GET', '/v1/audit', { ...OWN_PAGE, cookie })).statusCode).toBe(403);
});

test.each<[string, 'GET' | 'POST', Headers]>([
  ['a page of another site', 'GET', { 'sec-fetch-site': 'cross-site' }],
  ['a page of another host of the same site', 'GET', { 'sec-fetch-site': 'same-site' }],
  ['an address that somebody types, or a link', 'GET', { 'sec-fetch-site': 'none' }],
  ['a change from another origin', 'POST', { origin: 'https://evil.example' }],
  ['a change from another port', 'POST', { origin: 'https://portal.example:8443' }],
  ['a change from nowhere', 'POST', { origin: 'null' }],
  ['a change that names no origin', 'POST', {}],
])('the cookie does not count for %s', async (_what, method, headers) => {
  const { cookie } = await signIn(TOKENS.ann.token);
  const url = method === 'GET' ? '/v1/me' : '/v1/sessions/links';
  const answer = await ask(method, url, { host: 'portal.example', ...headers, cookie });
  expect([answer.statusCode, answer.json().code]).toEqual([403, 'DB_CROSS_ORIGIN']);
  expect((await ask(method, url, { ...OWN_PAGE, cookie })).statusCode).toBe(200);
});

test('a session that ended, is too old, or whose token was withdrawn, counts no more', async () => {
  const first = await signIn(TOKENS.ann.token);
  const second = await signIn(TOKENS.ann.token);
  const statusOf = async (cookie: string) => (await ask('GET', '/v1/me', { ...OWN_PAGE, cookie })).statusCode;
  const ended = await ask('DELETE', `/v1/sessions/${first.id}`, { ...OWN_PAGE, cookie: first.cookie });
  expect([ended.statusCode, String(ended.headers['set-cookie'])]).toEqual([204, expect.stringContaining('Max-Age=0')]);
  expect([await statusOf(first.cookie), await statusOf(second.cookie)]).toEqual([401, 200]);
  const record = store.get(second.id);
  if (record !== undefined) store.set(second.id, { ...record, expiresAtMs: Date.now() });
  expect(await statusOf(second.cookie)).toBe(401);
  const third = await signIn(TOKENS.ann.token);
  tokens = new Tokens(TOKENS.acme.line);
  expect(await statusOf(third.cookie)).toBe(401);
});

test('a link signs its maker in once, and is good for nothing else', async () => {
  const link = await ask('POST', '/v1/sessions/links', { authorization: `Bearer ${TOKENS.ann.token}` });
  const code = String(link.json().path).split('#')[1] ?? '';
  expect((await ask('GET', '/v1/status', { authorization: `Bearer ${code}` })).statusCode).toBe(401);
  const { cookie } = await signIn(code);
  expect((await ask('GET', '/v1/me', { ...OWN_PAGE, cookie })).json().name).toBe('ann');
  expect((await signIn(code)).status).toBe(401);
  // Nor does it work as a cookie.
  const other = await ask('POST', '/v1/sessions/links', { authorization: `Bearer ${TOKENS.ann.token}` });
  const asCookie = `__Host-databridge=${String(other.json().path).split('#')[1]}`;
  expect((await ask('GET', '/v1/me', { ...OWN_PAGE, cookie: asCookie })).statusCode).toBe(401);
});

test('operators see and end all sessions, everybody else their own', async () => {
  const [ann, acme] = [await signIn(TOKENS.ann.token), await signIn(TOKENS.acme.token)];
  const namesFor = async (token: string) =>
    (await ask('GET', '/v1/sessions', { authorization: `Bearer ${token}` }))
      .json()
      .items.map(({ name }: { name: string }) => name)
      .sort();
  expect(await namesFor(TOKENS.ann.token)).toEqual(['acme-ops', 'ann']);
  expect(await namesFor(TOKENS.acme.token)).toEqual(['acme-ops']);
  const end = (id: string, token: string) => ask('DELETE', `/v1/sessions/${id}`, { authorization: `Bearer ${token}` });
  expect((await end(ann.id, TOKENS.acme.token)).statusCode).toBe(404);
  expect((await end(acme.id, TOKENS.ann.token)).statusCode).toBe(204);
});

test('of too many sessions of one caller the oldest ends; what is over is forgotten', async () => {
  const first = await signIn(TOKENS.ann.token);
  for (let nth = 0; nth < MAX_SESSIONS_PER_CALLER; nth++) await signIn(TOKENS.ann.token);
  expect(store.size).toBe(MAX_SESSIONS_PER_CALLER);
  expect((await ask('GET', '/v1/me', { ...OWN_PAGE, cookie: first.cookie })).statusCode).toBe(401);
  const sessions = new Sessions(store, () => undefined);
  expect(await sessions.forgetOld(Date.now() + SESSION_MS + 1)).toBe(MAX_SESSIONS_PER_CALLER);
  expect(store.size).toBe(0);
});

test('an operator takes the view of a customer: what it sees, and nothing that it could do', async () => {
  const view = { authorization: `Bearer ${TOKENS.ann.token}`, 'databridge-view-as': 'acme' };
  expect((await ask('GET', '/v1/me', view)).json()).toMatchObject({ name: 'ann', role: 'customer', customer: 'acme' });
  expect((await ask('GET', '/v1/audit', view)).statusCode).toBe(403);
  expect((await ask('GET', '/v1/subscriptions/globex/status', view)).statusCode).toBe(404);
  expect((await ask('POST', '/v1/subscriptions/acme/pause', view)).statusCode).toBe(403);
  expect((await ask('GET', '/v1/subscriptions/acme/dead-letters/1', view)).statusCode).toBe(403);
  const own = { authorization: `Bearer ${TOKENS.acme.token}`, 'databridge-view-as': 'globex' };
  expect((await ask('GET', '/v1/me', own)).statusCode).toBe(403);
});
