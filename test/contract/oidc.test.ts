/** JWTs of a real OpenID provider (oidc-provider), taken by the API as its own tokens are. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApi } from '@databridge/control-plane/api/api';
import { callersOf, OidcCallers, type OidcSettings } from '@databridge/control-plane/api/auth/oidc';
import type { Api } from '@databridge/control-plane/api/context';
import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { createLogger } from '@databridge/kernel/log';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { Provider } from 'oidc-provider';

const AUDIENCE = 'https://databridge.example';
const log = createLogger('oidc-test', 'silent');
const own = Tokens.generate('ann', 'operator');
/** Client → what its tokens say of it. */
const CLAIMS: Record<string, Record<string, unknown>> = {
  boss: { realm_access: { roles: ['other', 'reader', 'operator'] } },
  watcher: { realm_access: { roles: ['reader'] } },
  acme: { realm_access: { roles: ['customer'] }, tenant: 'acme' },
  nameless: { realm_access: { roles: ['customer'] } },
  stranger: { scope: 'openid' },
};
let server: Server;
let issuer: string;
let ttlSeconds = 600;

beforeAll(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { warn } = console;
  console.warn = () => undefined;
  const provider = new Provider(issuer, {
    clients: Object.keys(CLAIMS).map((id) => ({
      client_id: id,
      client_secret: `secret of ${id}`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: unknown, resource: string) => ({
          scope: '',
          audience: resource,
          accessTokenFormat: 'jwt' as const,
          accessTokenTTL: ttlSeconds,
          jwt: { sign: { alg: 'RS256' as const } },
        }),
      },
    },
    extraTokenClaims: (_ctx, token) => CLAIMS[String(token.clientId)] ?? {},
  });
  console.warn = warn;
  server.on('request', provider.callback());
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function tokenOf(client: string, resource = AUDIENCE): Promise<string> {
  const basic = Buffer.from(`${client}:${encodeURIComponent(`secret of ${client}`)}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

const settings = (): OidcSettings => ({
  issuer,
  audience: AUDIENCE,
  jwksUrl: undefined,
  roleClaim: 'realm_access.roles',
  customerClaim: 'tenant',
});
const callers = (changes: Partial<OidcSettings> = {}) => new OidcCallers({ ...settings(), ...changes }, log);

test('role, customer and name come from the claims that are named', async () => {
  const known = callers();
  expect(await known.callerOf(await tokenOf('boss'))).toMatchObject({ name: 'boss', role: 'operator' });
  expect(await known.callerOf(await tokenOf('watcher'))).toMatchObject({ name: 'watcher', role: 'reader' });
  expect(await known.callerOf(await tokenOf('acme'))).toMatchObject({
    name: 'acme',
    role: 'customer',
    customer: 'acme',
  });
  expect(await known.callerOf(await tokenOf('nameless'))).toBeUndefined();
  expect(await known.callerOf(await tokenOf('stranger'))).toBeUndefined();
});

test('for another audience, of another issuer, run out, changed, unsigned or signed by others: nobody', async () => {
  const good = await tokenOf('boss');
  expect(await callers().callerOf(await tokenOf('boss', 'https://other.example'))).toBeUndefined();
  const jwksUrl = `${issuer}/jwks`;
  expect(await callers({ issuer: 'https://other.example', jwksUrl }).callerOf(good)).toBeUndefined();
  ttlSeconds = -60;
  expect(await callers().callerOf(await tokenOf('boss'))).toBeUndefined();
  ttlSeconds = 600;
  const [head = '', body = '', signature = ''] = good.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const changed = encode({ ...claims, sub: 'somebody' });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const byOthers = sign('sha256', Buffer.from(`${head}.${body}`), key).toString('base64url');
  for (const forged of [
    `${head}.${changed}.${signature}`,
    `${encode({ alg: 'none' })}.${body}.`,
    `${head}.${body}.${byOthers}`,
    'no.jwt.atall',
  ]) {
    expect(await callers().callerOf(forged)).toBeUndefined();
  }
  // The same keys, discovered: what was refused was refused for its own sake.
  expect(await callers().callerOf(good)).toMatchObject({ role: 'operator' });
});

async function api(oidc: OidcCallers): Promise<Api> {
  const nothing = () => Promise.reject(new Error('nothing is called'));
  const operations = {
    log,
    subscriptions: async () => new Map(),
    workerStatuses: async () => new Map(),
  } as unknown as ControlPlaneContext;
  return await createApi({
    operations,
    attempts: {
      find: () => [],
      events: () => [],
      listen: () => () => undefined,
      since: () => ({ attempts: [], isWhole: true }),
    },
    events: { render: nothing, open: nothing },
    intake: { eventTypes: [], schemaIdOf: nothing },
    writer: { isOwner: true, origin: undefined, owner: async () => undefined, change: nothing },
    callers: callersOf(new Tokens(own.line), oidc),
    limits: { maxFailures: 20 },
    log,
  });
}

const ask = async (from: Api, token: string) =>
  await from.inject({ url: '/v1/subscriptions', headers: { authorization: `Bearer ${token}` } });

test('the API takes them beside its own tokens; too many wrong ones from an address are throttled, good ones never', async () => {
  const running = await api(callers());
  const good = await tokenOf('watcher');
  expect((await ask(running, own.token)).statusCode).toBe(200);
  expect((await ask(running, good)).statusCode).toBe(200);
  const forged = `${good.slice(0, -8)}AAAAAAAA`;
  const statuses: number[] = [];
  for (let nth = 0; nth < 22; nth++) statuses.push((await ask(running, forged)).statusCode);
  expect([statuses[0], statuses.filter((status) => status === 401).length, statuses.at(-1)]).toEqual([401, 20, 429]);
  expect((await ask(running, good)).statusCode).toBe(200);
  expect((await ask(running, forged)).statusCode).toBe(429);
  await running.close();
});

test('an issuer that is away is no fault of the token: 503, and nothing is counted against its address', async () => {
  const good = await tokenOf('watcher');
  const running = await api(callers({ jwksUrl: 'http://127.0.0.1:1/jwks' }));
  for (let nth = 0; nth < 21; nth++) {
    const answer = await ask(running, good);
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'DB_ISSUER_UNAVAILABLE']);
  }
  expect((await ask(running, own.token)).statusCode).toBe(200);
  await running.close();
});
