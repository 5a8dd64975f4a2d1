/** A second opinion on OAuth: Keycloak, as many customers run it. */

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { OidcCallers } from '@databridge/control-plane/api/auth/oidc';
import { createLogger } from '@databridge/kernel/log';
import { freePorts } from '@databridge/local-platform/free-port';
import { javaRelease } from '@databridge/local-platform/jvm/java';
import { message, openFor } from '../harness/destinations.ts';
import { unpacked } from '../harness/peers/maven.ts';
import { startPeer } from '../harness/peers/peer-process.ts';
import { cached, command, FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Front } from '../harness/services/front.ts';

const VERSION = '26.4.0';
const CLIENT = { clientId: 'databridge', secret: 'keycloak-client-secret' };
const AUDIENCE = 'databridge-api';
/** Keycloak 26 needs Java 21, which the rest of the tests does not. */
const MIN_JAVA = 21;

let tokenUrl = '';
let keycloak = '';
let dataDir = '';

beforeAll(async () => {
  const java = await javaHome();
  const built = await builtOnce(java);
  dataDir = await mkdtemp(join(tmpdir(), 'databridge-keycloak-'));
  // It writes beside itself.
  await cp(built, dataDir, { recursive: true });
  const [port = 0, managementPort = 0] = await freePorts(2);
  keycloak = `http://127.0.0.1:${port}`;
  const env = {
    JAVA_HOME: java,
    KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
    KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin',
    JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx400m',
  };
  const listen = ['--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`];
  const others = ['--hostname-strict=false', '--cache=local', `--http-management-port=${managementPort}`];
  const args = ['start', '--optimized', ...listen, ...others];
  const program = join(dataDir, 'bin', 'kc.sh');
  await startPeer({ program: '/bin/sh', args: [program, ...args], port, env, readyWithinMs: FETCH_TIMEOUT_MS });
  tokenUrl = `${keycloak}/realms/master/protocol/openid-connect/token`;
  await createClient();
}, 2 * FETCH_TIMEOUT_MS);

afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** Its own build step takes longer than all else: done once. */
async function builtOnce(java: string): Promise<string> {
  const home = await unpacked(`org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`);
  return await cached(`keycloak-${VERSION}-built`, async (dir) => {
    await cp(join(home, `keycloak-${VERSION}`), dir, { recursive: true });
    const build = [join(dir, 'bin', 'kc.sh'), 'build', '--db=dev-file'];
    await command('/usr/bin/env', [`JAVA_HOME=${java}`, '/bin/sh', ...build]);
  });
}

async function javaHome(): Promise<string> {
  const given = process.env['JAVA_21_HOME'];
  if (given !== undefined) return given;
  const root = '/usr/lib/jvm';
  for (const name of await readdir(root).catch(() => [])) {
    if ((await releaseOf(join(root, name, 'bin', 'java'))) >= MIN_JAVA) return join(root, name);
  }
  throw new Error(`Keycloak needs Java ${MIN_JAVA} or newer, and there is none in ${root}: set JAVA_21_HOME`);
}

async function releaseOf(java: string): Promise<number> {
  try {
    return javaRelease((await promisify(execFile)(java, ['-version'])).stderr) ?? 0;
  } catch {
    return 0;
  }
}

async function createClient(): Promise<void> {
  const body = new URLSearchParams({
    grant_type: 'password',
    client_id: 'admin-cli',
    username: 'admin',
    password: 'admin',
  });
  let token: string | undefined;
  while (token === undefined) {
    const response = await fetch(tokenUrl, { method: 'POST', body }).catch(() => undefined);
    if (response?.ok) token = ((await response.json()) as { access_token: string }).access_token;
    else await delay(500);
  }
  const response = await fetch(`${keycloak}/admin/realms/master/clients`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ ...CLIENT, serviceAccountsEnabled: true, publicClient: false, standardFlowEnabled: false },
      protocolMappers: [
        mapper('oidc-audience-mapper', { 'included.custom.audience': AUDIENCE }),
        mapper('oidc-hardcoded-claim-mapper', { 'claim.name': 'tenant.name', 'claim.value': 'acme' }),
        mapper('oidc-hardcoded-claim-mapper', { 'claim.name': 'tenant.role', 'claim.value': 'customer' }),
      ],
    }),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** What its tokens say beyond who they are for. */
const mapper = (protocolMapper: string, config: Record<string, string>) => ({
  name: Object.values(config).join(' '),
  protocol: 'openid-connect',
  protocolMapper,
  config: { 'jsonType.label': 'String', 'access.token.claim': 'true', ...config },
});

test('its JWTs are taken by our own API, for whom its claims name', async () => {
  const answer = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: CLIENT.clientId,
      client_secret: CLIENT.secret,
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const settings = {
    ...{ issuer: `${keycloak}/realms/master`, audience: AUDIENCE, jwksUrl: undefined },
    ...{ roleClaim: 'tenant.role', customerClaim: 'tenant.name' },
  };
  const log = createLogger('keycloak-test', 'silent');
  const caller = await new OidcCallers(settings, log).callerOf(token);
  expect(caller).toEqual({
    ...{ id: expect.stringMatching(/^oidc:/), name: expect.any(String) },
    ...{ role: 'customer', customer: 'acme' },
  });
  expect(await new OidcCallers({ ...settings, audience: 'others' }, log).callerOf(token)).toBeUndefined();
});

test.each(['header', 'body'])('a token by client authentication in the %s, one for all who wait', async (place) => {
  const [api, front] = await Promise.all([Front.start(), Front.start(keycloak)]);
  const authentication = {
    ...{ type: 'oauth', tokenUrl: front.origin + new URL(tokenUrl).pathname, scope: 'openid' },
    ...{ clientId: CLIENT.clientId, clientSecret: CLIENT.secret, clientAuthentication: place },
  };
  const opened = openFor({ destination: { type: 'http', url: api.origin }, authentication });
  const sent = await Promise.all(Array.from({ length: 50 }, () => opened.send(message(), Date.now())));
  expect(new Set(sent.map((one) => JSON.stringify(one?.outcome)))).toEqual(
    new Set(['{"kind":"delivered","status":200}']),
  );
  expect(front.passed).toHaveLength(1);
  const claims = String(api.passed[0]?.headers.authorization).split('.')[1] ?? '';
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ azp: CLIENT.clientId });
});

test('a wrong secret is reported with the server’s message', async () => {
  const authentication = { type: 'oauth', tokenUrl, clientId: CLIENT.clientId, clientSecret: 'wrong-secret' };
  const opened = openFor({ destination: { type: 'http', url: 'http://127.0.0.1:9/' }, authentication });
  expect((await opened.send(message(), Date.now()))?.outcome).toEqual({
    kind: 'deauthorized',
    reason: 'no token: status 401, unauthorized_client: Invalid client or Invalid client credentials',
  });
});
