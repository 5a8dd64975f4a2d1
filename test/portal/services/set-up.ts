/// <reference lib="dom" />
/** A customer sets itself up on the page: sealed in the browser, tested at once, corrected, approved, first event. */
import { createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import type { Locator, Page } from 'playwright-core';
import { rootCauseEvent } from '../../harness/events.ts';
import { eventually } from '../../harness/eventually.ts';
import { makeCertificates } from '../../harness/peers/certificates.ts';
import { issuesInEveryLook, WIDE } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { invite, openInvited, sendIt } from '../../harness/portal/set-up-page.ts';
import { type ReceivedRequest, Receiver } from '../../harness/receiver.ts';
import { startMutualTlsReceiver } from '../../harness/servers/mutual-tls-receiver.ts';
import { startRegistrationServer } from '../../harness/servers/registration-server.ts';
import { CLIENT, startTokenServer } from '../../harness/servers/token-server.ts';
import { freshName } from '../../harness/topics.ts';
import { shared } from './shared.ts';

const grantOf = (customer: string) => ({ setup: { eventTypes: ['root-cause'], match: { company: [customer] } } });

/** @param delivered how many requests the destination has had, tests with them */
async function approveAndProduce(customer: string, delivered: () => number): Promise<void> {
  const { stage, intakes } = shared();
  await stage.fanOutKnowsAll();
  // Nothing is copied for who is not approved: this one is left out.
  const early = randomUUID();
  const leftOut = async () => (await intakes[0].plane.call('GET', '/intake')).body.unmatched as number;
  const before = await leftOut();
  await stage.upstream.produce([rootCauseEvent({ company: customer, requestId: early })]);
  // Fan-out must have read it before the approval, which would count for it otherwise.
  await eventually(leftOut, (count) => count > before, 60_000);
  const tests = delivered();
  const approved = await intakes[0].plane.call('POST', `/subscriptions/${customer}/approve`);
  expect(approved).toMatchObject({ status: 200 });
  // Until fan-out has read the approval, events are left out.
  await eventually(
    async () => {
      await stage.upstream.produce([rootCauseEvent({ company: customer })]);
      return delivered();
    },
    (count) => count > tests,
    60_000,
    500,
  );
  const written = (await stage.read(deliveryTopic(customer))).map(({ value }) => value?.toString('latin1') ?? '');
  expect(written.filter((value) => value.includes(early))).toEqual([]);
}

test('Basic: a wrong password is seen and corrected, and events flow once it is approved', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('basic');
  const right = `Basic ${Buffer.from('acme:pässword-2').toString('base64')}`;
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['authorization'] === right ? 200 : 401 }));
  const invitation = await invite(intake, customer, { ...grantOf(customer), reason: 'Your first set-up' });
  const { page, wrongs, close } = await openInvited(browser, intake, invitation);
  expect(await page.getByText('ann asks for this: Your first set-up').count()).toBe(1);
  await page.getByLabel('URL').fill(receiver.url);
  await page.getByLabel('User name', { exact: true }).fill('acme');
  await page.getByLabel('Password').fill('pässword-1');
  await sendIt(page);
  await page.getByText('Your destination refused what identifies us (401)').waitFor();

  // What is no secret stays as it was entered.
  await page.getByRole('button', { name: 'Correct it' }).click();
  expect(await page.getByLabel('URL').inputValue()).toBe(receiver.url);
  expect(await page.getByLabel('User name', { exact: true }).inputValue()).toBe('acme');
  expect(await page.getByLabel('Password').inputValue()).toBe('');
  await page.getByLabel('Password').fill('pässword-2');
  await sendIt(page);
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(wrongs).toEqual([]);
  await close();

  const stored = await intake.plane.call('GET', `/subscriptions/${customer}`);
  expect(stored.body).toMatchObject({ awaitsApproval: true, authentication: { password: '[secret]' } });
  await approveAndProduce(customer, () => receiver.requests.length);
  expect(receiver.requests.at(-1)?.headers['authorization']).toBe(right);
});

test('by keyboard alone: a link is opened, a set-up stated, sent and seen to work', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('keyboard');
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-api-key'] === 'k-1' ? 200 : 401 }));
  const { link, code } = await invite(intake, customer, grantOf(customer));
  const { page, wrongs, close } = await openPage(browser, intake.origin, { viewport: WIDE });
  page.setDefaultTimeout(60_000);
  await page.goto(new URL(link).pathname);
  await page.getByLabel('Code').waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  await page.keyboard.type(code);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Set up ${customer}` }).waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  await tabTo(page, page.getByLabel('URL'));
  await page.keyboard.type(receiver.url);
  await tabTo(page, page.getByLabel('How does it know us?'));
  // The second of the list.
  await page.keyboard.press('ArrowDown');
  await tabTo(page, page.getByLabel('Key', { exact: true }));
  await page.keyboard.type('k-1');
  await page.keyboard.press('Enter');
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  await tabTo(page, page.getByRole('button', { name: 'Correct it' }));
  await page.keyboard.press('Enter');
  await page.getByLabel('URL').waitFor();
  expect(wrongs).toEqual([]);
  await close();
});

/** By the Tab key, as far as the control is. */
async function tabTo(page: Page, control: Locator): Promise<void> {
  const isThere = () => control.evaluate((one) => one === document.activeElement);
  for (let pressed = 0; !(await isThere()); pressed++) {
    if (pressed === 50) throw new Error('no Tab leads there');
    await page.keyboard.press('Tab');
  }
}

test('API key: a set-up may name the hosts of its link alone', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('api-key');
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-acme-key'] === 'k-1' ? 200 : 403 }));
  const invitation = await invite(intake, customer, { ...grantOf(customer), hosts: ['127.0.0.1', '*.acme.example'] });
  const { page, wrongs, close } = await openInvited(browser, intake, invitation);
  await page.getByLabel('How does it know us?').selectOption('api-key');
  await page.getByLabel('URL').fill('http://127.0.0.2:1/events');
  await page.getByLabel('Name of the header').fill('X-Acme-Key');
  await page.getByLabel('Key', { exact: true }).fill('k-1');
  await sendIt(page);
  await page.getByText('The host 127.0.0.2 is not among those that this link is for').waitFor();
  await page.getByLabel('URL').fill(receiver.url);
  await page.getByLabel('Most events per second').fill('50');
  await page.getByLabel('Sign every request').check();
  await sendIt(page);
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  const publicKey = (await page.getByText(/^whpk_/).textContent()) ?? '';
  expect(wrongs).toEqual([]);
  await close();
  const { body } = await intake.plane.call('GET', `/subscriptions/${customer}`);
  expect(body).toMatchObject({ ratePerSecond: 50, match: { company: [customer] } });
  await approveAndProduce(customer, () => receiver.requests.length);
  // The private half is with the worker alone; whoever set it up has the public one.
  expect(new Set(receiver.requests.map((request) => isSignedBy(publicKey, request)))).toEqual(new Set([true]));
});

/** As Standard Webhooks has it: `v1a,` and an Ed25519 signature over id, time and body. */
function isSignedBy(publicKey: string, { headers, body }: ReceivedRequest): boolean {
  const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const [, signature = ''] = String(headers['webhook-signature']).split('v1a,');
  return verify(null, Buffer.from(signed), key, Buffer.from(signature, 'base64'));
}

test('OAuth 2: a wrong client secret is seen and corrected', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('oauth');
  const server = await startTokenServer();
  const receiver = await Receiver.start(({ headers }) => ({
    status: /^Bearer ./.test(headers['authorization'] ?? '') ? 200 : 401,
  }));
  const { page, wrongs, close } = await openInvited(browser, intake, await invite(intake, customer, grantOf(customer)));
  const fill = async (secret: string) => {
    await page.getByLabel('How does it know us?').selectOption('oauth');
    await page.getByLabel('URL', { exact: true }).fill(receiver.url);
    await page.getByLabel('URL of the token endpoint').fill(server.url);
    await page.getByLabel('Client id').fill(CLIENT.id);
    await page.getByLabel('Client secret').fill(secret);
    await page.getByLabel('Scope').fill('events:write');
    await page.getByLabel('Method, if not POST').fill('POST');
    await sendIt(page);
  };
  await fill('another');
  await page.getByText('Your destination refused what identifies us').waitFor();
  await page.getByRole('button', { name: 'Correct it' }).click();
  await fill(CLIENT.secret);
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(wrongs).toEqual([]);
  await close();
  await approveAndProduce(customer, () => receiver.requests.length);
}, 120_000);

test('mutual TLS: the private key is sealed as every secret is', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('mtls');
  const certificates = await makeCertificates();
  const { ca, client } = certificates;
  const receiver = await startMutualTlsReceiver(certificates);
  const { page, wrongs, close } = await openInvited(browser, intake, await invite(intake, customer, grantOf(customer)));
  const bodies: string[] = [];
  page.on('request', (request) => void bodies.push(request.postData() ?? ''));
  await page.getByLabel('How does it know us?').selectOption('none');
  await page.getByLabel('URL').fill(`${receiver.origin}/events`);
  await page.getByText('Mutual TLS').click();
  await page.getByLabel('Client certificate', { exact: true }).selectOption('own');
  await page.getByLabel('Client certificate (PEM)').fill(client.certificate);
  await page.getByLabel('Its private key (PEM)').fill(client.key);
  await page.getByLabel('Private authority to be trusted (PEM)').fill(ca);
  await sendIt(page);
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(bodies.join()).not.toContain('PRIVATE KEY');
  expect(wrongs).toEqual([]);
  await close();
  await approveAndProduce(customer, () => receiver.subjects.length);
  expect(new Set(receiver.subjects)).toEqual(new Set(['client']));
  receiver.stop();
}, 120_000);

test('OAuth 2 by a private key: made in the page, its public half is registered, and no secret is shared', async () => {
  const { browser, intakes } = shared();
  const [intake] = intakes;
  const customer = freshName('oauth-key');
  const server = await startRegistrationServer();
  // The client is there before its key is.
  const before = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const client = await server.register({ ...before, use: 'sig' });
  const receiver = await Receiver.start(({ headers }) => ({
    status: /^Bearer ./.test(headers['authorization'] ?? '') ? 200 : 401,
  }));
  const { page, wrongs, close } = await openInvited(browser, intake, await invite(intake, customer, grantOf(customer)));
  const bodies: string[] = [];
  page.on('request', (request) => void bodies.push(request.postData() ?? ''));
  await page.getByLabel('URL', { exact: true }).fill(receiver.url);
  await page.getByLabel('How does it know us?').selectOption('oauth-key');
  await page.getByLabel('URL of the token endpoint').fill(server.tokenUrl);
  await page.getByLabel('Client id').fill(client.id);
  await page.getByLabel('Id of the key (kid)').fill('key-1');
  await sendIt(page);
  await page.getByText('Your destination refused what identifies us').waitFor();
  const jwk = JSON.parse((await page.getByText('"kty"').textContent()) ?? '') as Record<string, unknown>;
  expect(jwk).toMatchObject({ kty: 'EC', alg: 'ES256', kid: 'key-1' });
  expect(jwk).not.toHaveProperty('d');
  await client.replaceKey(jwk);
  await page.getByRole('button', { name: 'Test again' }).click();
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(bodies.join()).not.toContain('PRIVATE KEY');
  expect(wrongs).toEqual([]);
  await close();
  const { body } = await intake.plane.call('GET', `/subscriptions/${customer}`);
  expect(body.authentication).toMatchObject({ clientAuthentication: 'private-key-jwt', clientKey: '[secret]' });
}, 120_000);
