/**
 * From `npm start` to the first event of a customer, for each way to authenticate: an invitation, answered in Chromium,
 * tested at once, a wrong secret corrected, approved. One `npm start` serves all of it.
 */
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { makeCertificates } from '../harness/peers/certificates.ts';
import { Moto } from '../harness/peers/moto.ts';
import { chromiumPath, launchBrowser } from '../harness/portal/browser.ts';
import { invite, openInvited, sendIt } from '../harness/portal/set-up-page.ts';
import { type ReceivedRequest, Receiver } from '../harness/receiver.ts';
import { MAIL_LOGIN, startMailServer } from '../harness/servers/mail-server.ts';
import { startMutualTlsReceiver } from '../harness/servers/mutual-tls-receiver.ts';
import { BODY_CLIENT, CLIENT, startTokenServer } from '../harness/servers/token-server.ts';
import { type NpmStart, npmStart } from '../harness/services/npm-start.ts';

/** Debian's package `chromium`; .ci/run installs it. */
const withBrowser = chromiumPath() === undefined ? describe.skip : describe;

const ACCEPTED = 'Your destination accepted the test event';
const REJECTED = 'Your destination rejected our credentials';
const WITHIN_MS = 180_000;

withBrowser('from npm start to the first event', () => {
  let started: NpmStart;
  let browser: Browser;

  beforeAll(async () => {
    started = await npmStart();
    browser = await launchBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    expect(await started?.stop()).toBe(0);
  }, 120_000);

  /**
   * @param what of the invitation, besides the set-up
   * @param enter fills in the form, sends it, and leaves once the test event was accepted
   */
  async function setUp(customer: string, enter: (page: Page) => Promise<void>, what: object = {}): Promise<void> {
    const setup = { eventTypes: ['root-cause'], match: { company: [customer] } };
    const invitation = await invite(started, customer, { setup, ...what });
    const { page, wrongs, close } = await openInvited(browser, started, invitation);
    const bodies: string[] = [];
    page.on('request', (request) => void bodies.push(request.postData() ?? ''));
    await enter(page);
    expect(wrongs).toEqual([]);
    // What is typed leaves the browser sealed only.
    expect(bodies.join()).toMatch(/"secrets":\{"[\w.-]+":"ey/);
    expect(bodies.join()).not.toMatch(/PRIVATE KEY/);
    await close();
    const stated = await started.plane.call('GET', `/subscriptions/${customer}/status`);
    expect(stated.body).toMatchObject({ state: 'paused', awaitsApproval: true });
  }

  const produce = (company: string, requestId: string = randomUUID()) =>
    started.plane.call('POST', '/events', {
      body: { eventType: 'root-cause', event: rootCauseEvent({ company, requestId }) },
    });

  /** @param delivered how many requests the destination has had, tests with them */
  async function approve(customer: string, delivered: () => number | Promise<number>): Promise<void> {
    const tests = await delivered();
    const approved = await started.plane.call('POST', `/subscriptions/${customer}/approve`);
    expect(approved).toMatchObject({ status: 200, body: { state: 'active' } });
    // Until fan-out has read the approval, events are left out.
    await eventually(
      async () => {
        await produce(customer);
        return await delivered();
      },
      (count) => count > tests,
      60_000,
      500,
    );
  }

  test(
    'Basic: a wrong password is seen and corrected; nothing is copied before the approval, which alone resumes it',
    async () => {
      const customer = 'by-basic';
      const right = `Basic ${Buffer.from('acme:pässword-2').toString('base64')}`;
      const receiver = await Receiver.start(({ headers }) => ({
        status: headers['authorization'] === right ? 200 : 401,
      }));
      const enter = async (page: Page) => {
        await page.getByText('local asks for this: Your first set-up').waitFor();
        await page.getByLabel('URL').fill(receiver.url);
        await page.getByLabel('User name', { exact: true }).fill('acme');
        await page.getByLabel('Password').fill('pässword-1');
        await sendIt(page);
        await page.getByText(`${REJECTED} (401)`).waitFor();
        await page.getByRole('button', { name: 'Correct it' }).click();
        // What is no secret stays as it was entered.
        expect(await page.getByLabel('URL').inputValue()).toBe(receiver.url);
        expect(await page.getByLabel('User name', { exact: true }).inputValue()).toBe('acme');
        expect(await page.getByLabel('Password').inputValue()).toBe('');
        await page.getByLabel('Password').fill('pässword-2');
        await sendIt(page);
        await page.getByText(`${ACCEPTED} (status 200).`).waitFor();
      };
      await setUp(customer, enter, { reason: 'Your first set-up' });
      expect(await started.plane.call('POST', `/subscriptions/${customer}/resume`)).toMatchObject({ status: 409 });
      const leftOut = async () => (await started.plane.call('GET', '/intake')).body.unmatched as number;
      const before = await leftOut();
      const early = randomUUID();
      expect((await produce(customer, early)).body.customers).toEqual([]);
      // Fan-out must have read it before the approval, which would count for it otherwise.
      await eventually(leftOut, (count) => count > before, 60_000);
      await approve(customer, () => receiver.requests.length);
      expect(receiver.requests.at(-1)?.headers['authorization']).toBe(right);
      expect(receiver.requests.filter(({ body }) => body.includes(early))).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    'API key: a set-up may name the hosts of its link only, and has every request signed',
    async () => {
      const customer = 'by-api-key';
      const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-acme-key'] === 'k-1' ? 200 : 403 }));
      let publicKey = '';
      const enter = async (page: Page) => {
        await page.getByLabel('Authentication', { exact: true }).selectOption('api-key');
        await page.getByLabel('URL').fill('http://127.0.0.2:1/events');
        await page.getByLabel('Name of the header').fill('X-Acme-Key');
        await page.getByLabel('Key', { exact: true }).fill('k-1');
        await sendIt(page);
        await page.getByText('The host 127.0.0.2 is not among those that this link is for').waitFor();
        await page.getByLabel('URL').fill(receiver.url);
        await page.getByLabel('Maximum events per second').fill('50');
        await page.getByLabel('Sign every request').check();
        await sendIt(page);
        await page.getByText(`${ACCEPTED} (status 200).`).waitFor();
        publicKey = (await page.getByText(/^whpk_/).textContent()) ?? '';
      };
      await setUp(customer, enter, { hosts: ['127.0.0.1', '*.acme.example'] });
      expect((await started.plane.call('GET', `/subscriptions/${customer}`)).body).toMatchObject({ ratePerSecond: 50 });
      await approve(customer, () => receiver.requests.length);
      // The private half is with the worker alone; whoever set it up has the public one.
      expect(new Set(receiver.requests.map((request) => isSignedBy(publicKey, request)))).toEqual(new Set([true]));
    },
    WITHIN_MS,
  );

  test(
    'OAuth 2: a wrong client secret is corrected; secret and extra parameters are sent as the server wants them',
    async () => {
      const server = await startTokenServer();
      const receiver = await Receiver.start(({ headers }) => ({
        status: /^Bearer ./.test(headers['authorization'] ?? '') ? 200 : 401,
      }));
      const parameter = async (page: Page, nth: number, [where, name, value]: readonly string[]) => {
        await page.getByRole('button', { name: 'Add a parameter' }).click();
        await page
          .getByLabel('Where the parameter is sent')
          .nth(nth)
          .selectOption(where ?? '');
        await page
          .getByLabel('Name of the parameter')
          .nth(nth)
          .fill(name ?? '');
        await page
          .getByLabel('Value of the parameter')
          .nth(nth)
          .fill(value ?? '');
      };
      const enter = async (page: Page) => {
        await page.getByLabel('Authentication', { exact: true }).selectOption('oauth');
        await page.getByLabel('URL', { exact: true }).fill(receiver.url);
        await page.getByLabel('URL of the token endpoint').fill(server.url);
        await page.getByLabel('Client id').fill(CLIENT.id);
        await page.getByLabel('Client secret').fill('another');
        await page.getByLabel('Scope').fill('events:write');
        await sendIt(page);
        await page.getByText(REJECTED).waitFor();
        await page.getByRole('button', { name: 'Correct it' }).click();
        await page.getByLabel('Client id').fill(BODY_CLIENT.id);
        await page.getByLabel('Client secret').fill(BODY_CLIENT.secret);
        await page.getByLabel('Credentials in the token request').selectOption('body');
        await page.getByText('Extra parameters of the token request').click();
        await parameter(page, 0, ['headers', 'X-Tenant', 'tenant-s3cret']);
        await page.getByLabel('The value is a secret').first().check();
        await parameter(page, 1, ['query', 'realm', 'events']);
        await parameter(page, 2, ['body', 'account', '7']);
        await parameter(page, 3, ['query', 'unwanted', 'x']);
        await page.getByRole('button', { name: 'Remove the parameter' }).last().click();
        await sendIt(page);
        await page.getByText(`${ACCEPTED} (status 200).`).waitFor();
      };
      await setUp('by-oauth', enter);
      const passed = server.front.passed.at(-1);
      const { headers = {}, url = '', body = '' } = passed ?? {};
      expect([headers['x-tenant'], headers.authorization]).toEqual(['tenant-s3cret', undefined]);
      expect(new URL(url, server.url).search).toBe('?realm=events');
      expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
        ...{ grant_type: 'client_credentials', scope: 'events:write', account: '7' },
        ...{ client_id: BODY_CLIENT.id, client_secret: BODY_CLIENT.secret },
      });
      const stored = await started.plane.call('GET', '/subscriptions/by-oauth');
      expect(stored.body.authentication).toMatchObject({ headers: { 'X-Tenant': { secret: '[secret]' } } });
      await approve('by-oauth', () => receiver.requests.length);
    },
    WITHIN_MS,
  );

  test(
    'AWS: a wrong access key is seen and corrected, and the first event is in the queue',
    async () => {
      const moto = await Moto.start();
      const queueUrl = await moto.createQueue();
      const enter = async (page: Page) => {
        const fill = async (secret: string) => {
          await page.getByLabel('Destination').selectOption('sqs');
          await page.getByLabel('URL of the queue').fill(queueUrl);
          await page.getByLabel('Region').fill(Moto.region);
          await page.getByLabel('Access key id').fill(moto.keys.accessKeyId);
          await page.getByLabel('Secret access key').fill(secret);
          await sendIt(page);
        };
        await fill('A'.repeat(40));
        await page.getByText(REJECTED).waitFor();
        await page.getByRole('button', { name: 'Correct it' }).click();
        await fill(moto.keys.secretAccessKey);
        await page.getByText(ACCEPTED).waitFor();
      };
      await setUp('by-aws', enter);
      let received = 0;
      await approve('by-aws', async () => {
        received += (await moto.received(queueUrl)).length;
        return received;
      });
    },
    WITHIN_MS,
  );

  test(
    'mutual TLS: the private key is sealed as every secret is',
    async () => {
      const certificates = await makeCertificates();
      const { ca, client } = certificates;
      const receiver = await startMutualTlsReceiver(certificates);
      const enter = async (page: Page) => {
        await page.getByLabel('Authentication', { exact: true }).selectOption('none');
        await page.getByLabel('URL').fill(`${receiver.origin}/events`);
        await page.getByText('Mutual TLS').click();
        await page.getByLabel('Client certificate', { exact: true }).selectOption('own');
        await page.getByLabel('TLS client certificate (PEM)').fill(client.certificate);
        await page.getByLabel('TLS client key (PEM)').fill(client.key);
        await page.getByLabel('Private certificate authorities (PEM)').fill(ca);
        await sendIt(page);
        await page.getByText(`${ACCEPTED} (status 200).`).waitFor();
      };
      await setUp('by-mtls', enter);
      await approve('by-mtls', () => receiver.subjects.length);
      expect(new Set(receiver.subjects)).toEqual(new Set(['client']));
      receiver.stop();
    },
    WITHIN_MS,
  );

  test(
    'e-mail: offered only to a customer that gets notices only; a wrong password is seen and corrected',
    async () => {
      const server = await startMailServer(() => 250);
      const enter = async (page: Page) => {
        await page.getByLabel('Destination').selectOption('email');
        expect(await page.getByLabel('Authentication', { exact: true }).locator('option').count()).toBe(2);
        await page.getByLabel('Mail server').fill('127.0.0.1');
        await page.getByLabel('Port').fill(String(server.port));
        await page.getByLabel('Sender').fill('databridge@example.com');
        await page.getByLabel('Recipients').fill('operations@example.com\nsecond@example.com');
        await page.getByLabel('User name', { exact: true }).fill(MAIL_LOGIN.username);
        await page.getByLabel('Password').fill('another');
        await page.getByText('Mutual TLS').click();
        await page.getByLabel('Private certificate authorities (PEM)').fill(server.ca);
        await sendIt(page);
        // Its words are in the report if they are others.
        await page.getByRole('alert').waitFor();
        expect(await page.getByRole('alert').textContent()).toContain(REJECTED);
        await page.getByRole('button', { name: 'Correct it' }).click();
        await page.getByLabel('Password').fill(MAIL_LOGIN.password);
        await sendIt(page);
        await page.getByText(ACCEPTED).waitFor();
      };
      const setup = { eventTypes: ['notice'], match: { company: ['operators'] } };
      await setUp('by-mail', enter, { setup });
      expect(server.mails.at(-1)).toMatchObject({
        ...{ to: ['operations@example.com', 'second@example.com'], isEncrypted: true, user: MAIL_LOGIN.username },
      });
      // Events must not be sent by mail: others are not offered it.
      const others = await invite(started, 'not-by-mail', {
        setup: { eventTypes: ['root-cause'], match: { company: ['not-by-mail'] } },
      });
      const { page, close } = await openInvited(browser, started, others);
      expect(await page.getByLabel('Destination').locator('option[value=email]').count()).toBe(0);
      await close();
    },
    WITHIN_MS,
  );
});

/** As Standard Webhooks has it: `v1a,` and an Ed25519 signature over id, time and body. */
function isSignedBy(publicKey: string, { headers, body }: ReceivedRequest): boolean {
  const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const [, signature = ''] = String(headers['webhook-signature']).split('v1a,');
  return verify(null, Buffer.from(signed), key, Buffer.from(signature, 'base64'));
}
