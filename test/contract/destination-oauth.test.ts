/** OAuth 2 client credentials against oidc-provider; what that does not do (GET, PUT) against an endpoint that shows the request. */
import { gzipSync } from 'node:zlib';
import { OAuth } from '@databridge/delivery/authorization/oauth';
import type { Destination } from '@databridge/delivery/destination/destination';
import { Redaction } from '@databridge/delivery/destination/redaction';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import { Egress } from '@databridge/delivery/egress/dispatcher';
import { Secret } from '@databridge/kernel/secrets/secret';
import { loopbackGuard, message, openFor } from '../harness/destinations.ts';
import { CLIENT, startTokenServer, type TokenServer } from '../harness/servers/token-server.ts';
import { Front, type Passed } from '../harness/services/front.ts';
import { destinationSuite } from './destination-suite.ts';

const oauth = (tokenUrl: string, more: Record<string, unknown> = {}) => ({
  type: 'oauth',
  tokenUrl,
  clientId: CLIENT.id,
  clientSecret: CLIENT.secret,
  ...more,
});

const bearerOf = ({ headers }: Passed) => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';

let tokens: TokenServer;

beforeAll(async () => {
  tokens = await startTokenServer();
});

beforeEach(() => {
  tokens.front.passed.length = 0;
  tokens.front.manner = 'pass';
});

let front: Front;
destinationSuite('http with OAuth', {
  answers: {
    retryable: { status: 500 },
    refused: { status: 400 },
    throttled: { status: 429 },
    unauthorized: { status: 401 },
  },
  tooLarge: { bytes: 100_000, answer: { status: 413 } },
  acceptsByStatus: true,
  async open(times) {
    front = await Front.start();
    const destination = { type: 'http', url: `${front.origin}/events`, ...times };
    return { destination: openFor({ destination, authentication: oauth(tokens.url) }), front };
  },
  bodies: async () => front.passed.map(({ body }) => body),
});

test.each(['header', 'body'])(
  'client authentication in the %s, with a scope and what the customer adds',
  async (place) => {
    const api = await Front.start();
    const authentication = oauth(tokens.url, {
      clientAuthentication: place,
      scope: 'events:write',
      headers: { 'x-tenant': { secret: 'tenant-secret' } },
      query: { version: '2 b' },
      body: { pin: { secret: 'body-secret' } },
    });
    const sent = await openFor({ destination: { type: 'http', url: api.origin }, authentication }).send(
      message(),
      Date.now(),
    );
    expect(sent?.outcome.kind).toBe('delivered');
    expect(await tokens.isValid(bearerOf(api.passed[0] as Passed))).toBe(true);

    const [asked] = tokens.front.passed;
    const form = Object.fromEntries(new URLSearchParams(asked?.body));
    expect(asked).toMatchObject({
      method: 'POST',
      url: '/token?version=2+b',
      headers: { 'x-tenant': 'tenant-secret' },
    });
    expect(form).toMatchObject({ grant_type: 'client_credentials', scope: 'events:write', pin: 'body-secret' });
    if (place === 'body') {
      expect(form).toMatchObject({ client_id: CLIENT.id, client_secret: CLIENT.secret });
      expect(asked?.headers.authorization).toBeUndefined();
    } else {
      expect(form).not.toHaveProperty('client_secret');
      // RFC 6749 §2.3.1: both form-encoded before they are put together.
      const pair = Buffer.from(asked?.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
      expect(pair).toBe('data+bridge%3A1:client-s3cret%2F%2B%25');
    }
  },
);

test.each(['GET', 'PUT'])('%s to a token server that wants it so', async (method) => {
  const server = await Front.start();
  const headers = { 'content-type': 'application/json' };
  server.manner = { status: 201, headers, body: '{"access_token":"tok-1","token_type":"Bearer","expires_in":"3600"}' };
  const api = await Front.start();
  const more = { method, clientAuthentication: 'body', audience: 'https://api.acme.example', query: { v: '1' } };
  const authentication = oauth(`${server.origin}/token?tenant=7`, more);
  await openFor({ destination: { type: 'http', url: api.origin }, authentication }).send(message(), Date.now());
  expect(bearerOf(api.passed[0] as Passed)).toBe('tok-1');
  const [asked] = server.passed;
  const query = Object.fromEntries(new URL(asked?.url ?? '', server.origin).searchParams);
  const form = Object.fromEntries(new URLSearchParams(asked?.body));
  const parameters = {
    grant_type: 'client_credentials',
    client_secret: CLIENT.secret,
    audience: 'https://api.acme.example',
  };
  expect(asked?.method).toBe(method);
  expect(query).toMatchObject({ tenant: '7', v: '1', ...(method === 'GET' && parameters) });
  expect(form).toEqual(method === 'GET' ? {} : { ...parameters, client_id: CLIENT.id });
});

test('an ID token that comes along is nobody’s business', async () => {
  const { opened, api } = await openApi();
  const body = '{"access_token":"tok-2","token_type":"Bearer","expires_in":60,"id_token":"e30.e30.c2ln"}';
  tokens.front.manner = { status: 200, headers: { 'content-type': 'application/json' }, body };
  const sent = await opened.send(message(), Date.now());
  expect(sent?.outcome).toEqual({ kind: 'delivered', status: 200 });
  expect(bearerOf(api.passed[0] as Passed)).toBe('tok-2');
});

test('a token that comes compressed, though nobody asked for that, is read', async () => {
  const { opened, api } = await openApi();
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  tokens.front.manner = { status: 200, headers, body: gzipSync('{"access_token":"tok-3"}') };
  expect((await opened.send(message(), Date.now()))?.outcome).toEqual({ kind: 'delivered', status: 200 });
  expect(bearerOf(api.passed[0] as Passed)).toBe('tok-3');
});

test.each([401, 403])('a handshake that is refused with %d is asked for with a fresh token, too', async (status) => {
  const { opened, api } = await openApi({}, { format: 'cloudevents-binary', handshake: true });
  const headers = { 'webhook-allowed-origin': '*' };
  let revoked: string | undefined;
  api.manner = (request) => {
    revoked ??= bearerOf(request);
    if (bearerOf(request) === revoked) return { status };
    return request.method === 'OPTIONS' ? { status: 200, headers } : 'pass';
  };
  expect((await opened.send(message(), Date.now()))?.outcome).toEqual({ kind: 'delivered', status: 200 });
  expect(api.passed.map(({ method }) => method)).toEqual(['OPTIONS', 'OPTIONS', 'POST']);
  expect(tokens.front.passed).toHaveLength(2);
});

describe('one token for all', () => {
  test('200 deliveries that wait for a token cause one token request', async () => {
    const { opened, api } = await openApi();
    const kinds = await sendMany(opened, 200);
    expect(kinds).toEqual({ delivered: 200 });
    expect(tokens.front.passed).toHaveLength(1);
    expect(new Set(api.passed.map(bearerOf)).size).toBe(1);
  });

  test.each([401, 403])('200 deliveries whose token has ended (%d) cause one token request', async (status) => {
    const { opened, api } = await openApi();
    await opened.send(message(), Date.now());
    const ended = bearerOf(api.passed[0] as Passed);
    await tokens.revoke(ended);
    api.manner = (request) => (bearerOf(request) === ended ? { status } : 'pass');
    tokens.front.passed.length = 0;
    const kinds = await sendMany(opened, 200);
    expect(kinds).toEqual({ delivered: 200 });
    expect(tokens.front.passed).toHaveLength(1);
  });

  test('a token is given up shortly before it ends, and not sooner', async () => {
    let nowMs = 0;
    const egress = new Egress({ guard: loopbackGuard, budget: new ConnectionBudget(10) });
    const authentication = { ...oauth(tokens.url), clientSecret: new Secret(CLIENT.secret) } as const;
    const settings = { method: 'POST', clientAuthentication: 'header', headers: {}, query: {}, body: {} } as const;
    const options = { egress, tls: {}, redaction: new Redaction(), monotonicMs: () => nowMs };
    const authorizer = new OAuth({ ...settings, ...authentication, type: 'oauth' }, options);
    const first = await authorizer.authorize();
    nowMs = 539_000;
    expect(await authorizer.authorize()).toBe(first);
    nowMs = 541_000;
    expect(await authorizer.authorize()).not.toEqual(first);
    expect(tokens.front.passed).toHaveLength(2);
    await authorizer.close();
  });

  test('401 to a fresh token as well: one more try, then the connection is at fault', async () => {
    const { opened, api } = await openApi();
    api.manner = { status: 401, body: 'not you' };
    const sent = await opened.send(message(), Date.now());
    expect(sent).toEqual({
      outcome: { kind: 'deauthorized', reason: 'status 401', status: 401 },
      answerBody: 'not you',
    });
    expect(api.passed).toHaveLength(2);
    expect(tokens.front.passed).toHaveLength(2);
  });
});

describe('no token: the connection is at fault, in the words of the server, without secrets', () => {
  const json = { 'content-type': 'application/json' };
  const reasonWith = async (parts: Record<string, unknown>) => {
    const { opened, api } = await openApi(parts);
    const sent = await opened.send(message(), Date.now());
    expect(api.passed).toHaveLength(0);
    expect(sent?.outcome.kind).toBe('deauthorized');
    return JSON.parse(JSON.stringify(sent?.outcome)).reason as string;
  };

  test('a wrong secret, which all who wait hear of at once', async () => {
    const { opened } = await openApi({ clientSecret: 'wrong-secret' });
    const kinds = await sendMany(opened, 100);
    expect(kinds).toEqual({ deauthorized: 100 });
    expect(tokens.front.passed).toHaveLength(1);
    expect(await reasonWith({ clientSecret: 'wrong-secret' })).toBe(
      'no token: status 401, invalid_client: client authentication failed',
    );
  });

  test('a server that quotes what it was sent', async () => {
    const { secret } = CLIENT;
    const quoted = JSON.stringify({
      error: 'invalid_request',
      error_description: `${secret} ${encodeURIComponent(secret)}`,
    });
    tokens.front.manner = { status: 400, headers: json, body: quoted };
    expect(await reasonWith({})).toBe('no token: status 400, invalid_request: [secret] [secret]');
    tokens.front.manner = ({ headers }) => ({ status: 500, body: `<h1>Oops</h1> ${headers.authorization}` });
    const reason = await reasonWith({});
    expect(reason).toMatch(/^no token: status 500: <h1>Oops<.h1> Basic \[secret\]$/);
  });

  test.each([
    ['no JSON', '<html>sign in</html>', 'text/html'],
    ['no token', '{"token":"top-secret-token"}', 'application/json'],
    ['a token of another kind', '{"access_token":"top-secret-token","token_type":"mac"}', 'application/json'],
  ])('%s', async (_what, body, type) => {
    tokens.front.manner = { status: 200, headers: { 'content-type': type }, body };
    const reason = await reasonWith({});
    expect(reason).toMatch(/^no token: status 200, but /);
    expect(reason).not.toContain('top-secret-token');
  });

  test('nobody there', async () => {
    tokens.front.manner = 'drop';
    expect(await reasonWith({})).toMatch(/^no token: \w+/);
  });
});

async function openApi(more: Record<string, unknown> = {}, settings: Record<string, unknown> = {}) {
  const api = await Front.start();
  const destination = { type: 'http', url: api.origin, timeoutMs: 20_000, connectTimeoutMs: 20_000, ...settings };
  // A worker bounds what a customer has in flight before it gets here; the connections are bounded in its place.
  const budget = new ConnectionBudget(64);
  return { api, opened: openFor({ destination, authentication: oauth(tokens.url, more) }, { budget }) };
}

/** @returns how many of each kind of outcome came of it */
async function sendMany(destination: Destination, count: number): Promise<Record<string, number>> {
  const sent = await Promise.all(Array.from({ length: count }, () => destination.send(message(), Date.now())));
  const kinds: Record<string, number> = {};
  for (const one of sent) {
    const kind = one?.outcome.kind ?? 'cut off';
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}
