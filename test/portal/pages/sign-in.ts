/// <reference lib="dom" />
/** Signing in at a real OpenID provider (oidc-provider), by a real browser: the cookies are those that it sends. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OidcSignIn } from '@databridge/control-plane/portal/oidc-sign-in';
import { createLogger } from '@databridge/kernel/log';
import { Provider } from 'oidc-provider';
import { openPage } from '../../harness/portal/browser.ts';
import { type SampleFleet, startSampleFleet } from '../../harness/portal/sample-fleet.ts';
import { shared } from './shared.ts';

const PORTAL_CLIENT = 'portal';
/** Whom the provider signs in next, and what its ID token says. */
let account = 'acme-ana';
const CLAIMS: Record<string, Record<string, unknown>> = {
  'acme-ana': { databridge_role: 'customer', databridge_customer: 'acme' },
  stranger: { department: 'sales' },
};

let fleet: SampleFleet;
let provider: Server;
let issuer: string;

beforeAll(async () => {
  provider = createServer();
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  // Another site than the portal's 127.0.0.1: what browsers hold back between sites, they hold back here.
  issuer = `http://localhost:${(provider.address() as AddressInfo).port}`;
  const portalPort = await freePort();
  const portalUrl = `http://127.0.0.1:${portalPort}`;
  provider.on('request', providerFor(`${portalUrl}/portal/signed-in`));
  const claims = { roleClaim: 'databridge_role', customerClaim: 'databridge_customer' };
  const oidc = new OidcSignIn(
    { issuer, clientId: PORTAL_CLIENT, portalUrl, ...claims },
    createLogger('test', 'silent'),
  );
  fleet = await startSampleFleet(shared().portalDir, { portal: { oidc }, port: portalPort });
});
afterAll(async () => {
  await fleet?.stop();
  provider.close();
  provider.closeAllConnections();
});

/** A public client with PKCE alone. Nobody is asked: the account signs in at once. */
function providerFor(returnUrl: string) {
  const { warn } = console;
  console.warn = () => undefined;
  const oidc = new Provider(issuer, {
    clients: [{ client_id: PORTAL_CLIENT, redirect_uris: [returnUrl], token_endpoint_auth_method: 'none' }],
    claims: { openid: ['sub', 'databridge_role', 'databridge_customer'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['a key of a test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: () => '/interaction' },
    pkce: { required: () => true },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...CLAIMS[id] }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ accountId: account, clientId: PORTAL_CLIENT });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  console.warn = warn;
  const callback = oidc.callback();
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith('/interaction'))
      return oidc.interactionFinished(request, response, { login: { accountId: account } });
    return callback(request, response);
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a customer signs in with its organization, and is what the claims say', async () => {
  const { browser } = shared();
  account = 'acme-ana';
  const { page, close } = await openPage(browser, fleet.origin);
  await page.goto('/portal/');
  await page.getByRole('link', { name: 'Sign in with your organization' }).click();
  await page.getByRole('heading', { name: 'acme: overview' }).waitFor();
  await page.getByText('acme-ana').waitFor();
  const cookies = await page.context().cookies(fleet.origin);
  const session = cookies.find(({ name }) => name === '__Host-databridge');
  expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict' });
  expect(await page.evaluate(() => document.cookie)).toBe('');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog', { name: 'Sign in to Databridge Events' }).waitFor();
  await close();
});

test('claims that give no role, a stolen address and a second use of a code let nobody in', async () => {
  const { browser } = shared();
  account = 'stranger';
  const refused = await openPage(browser, fleet.origin);
  await refused.page.goto('/portal/');
  await refused.page.getByRole('link', { name: 'Sign in with your organization' }).click();
  await refused.page.getByText('gives you no role here').waitFor();
  await refused.close();

  account = 'acme-ana';
  const first = await openPage(browser, fleet.origin);
  const coming = first.page.waitForRequest((request) => request.url().includes('/portal/signed-in?'));
  await first.page.goto('/portal/');
  await first.page.getByRole('link', { name: 'Sign in with your organization' }).click();
  const address = (await coming).url();
  await first.page.getByRole('heading', { name: 'acme: overview' }).waitFor();
  await first.close();
  const thief = await openPage(browser, fleet.origin);
  await thief.page.goto(address);
  await thief.page.getByText('gives you no role here').waitFor();
  expect(await thief.page.context().cookies(fleet.origin)).toEqual([]);
  await thief.close();
});
