/** A client certificate by request, and a test of a customer that is paused: both are done by the worker that owns it. */
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { CERTIFICATE_REQUESTS_TOPIC, deliveryTopic, systemTopics } from '@databridge/schemas/records/topics';
import type { Page } from 'playwright-core';
import { makeCertificates, signRequest } from '../../harness/peers/certificates.ts';
import { axeIssues } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { invite, openInvited, sendIt } from '../../harness/portal/set-up-page.ts';
import { Receiver } from '../../harness/receiver.ts';
import { startMutualTlsReceiver } from '../../harness/servers/mutual-tls-receiver.ts';
import { freshName } from '../../harness/topics.ts';
import { operator, portalOrigin, shared, signIn } from './shared.ts';

test('mutual TLS by request: the worker makes the key, the customer hands back the certificate, and the key stays there', async () => {
  const { browser, stage } = shared();
  const customer = freshName('by-request');
  const certificates = await makeCertificates();
  const { ca, client } = certificates;
  const receiver = await startMutualTlsReceiver(certificates);
  await stage.subscribe(customer, `${receiver.origin}/`, { tls: { ca } });

  const { page, wrongs, close } = await openPage(browser, portalOrigin());
  page.setDefaultTimeout(60_000);
  await signIn(page, operator.token, `/portal/customers/${customer}/set-up`);
  await page.getByRole('button', { name: 'Make a key and a request' }).click();
  const csr = await page.getByLabel('Certificate request', { exact: true }).inputValue();
  expect(csr).toContain('BEGIN CERTIFICATE REQUEST');
  expect(await axeIssues(page)).toEqual([]);
  const certificate = page.getByLabel(/Signed certificate and its chain/);
  await certificate.fill(client.certificate);
  await page.getByRole('button', { name: 'Use this certificate' }).click();
  await page.getByText('is for another key than that of the latest certificate request').first().waitFor();
  await certificate.fill(signRequest(certificates, csr));
  const taken = stage.changeTaken(customer);
  await page.getByRole('button', { name: 'Use this certificate' }).click();
  await page.getByText('The certificate is in use, with its key.').waitFor();
  await taken();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('button', { name: 'Send a test event' }).click();
  await page.getByText(/the destination accepted the event/).waitFor();
  expect(receiver.subjects).toEqual([`databridge-${customer}`]);
  expect(wrongs).toEqual([]);
  await close();

  await expectNoKeyInClear(customer);
  receiver.stop();
}, 120_000);

test('a customer asks for a key on the set-up page, comes back with the certificate, and renews it by another link', async () => {
  const { browser, intakes } = shared();
  const [intake, other] = intakes;
  const customer = freshName('by-page');
  const certificates = await makeCertificates();
  const { ca } = certificates;
  const receiver = await startMutualTlsReceiver(certificates);
  const grant = { setup: { eventTypes: ['root-cause'], match: { company: [customer] } } };
  const invitation = await invite(intake, customer, grant);
  const state = async (page: Page) => {
    await page.getByLabel('Authentication', { exact: true }).selectOption('none');
    await page.getByLabel('URL').fill(`${receiver.origin}/`);
    await page.getByText('Mutual TLS').click();
    await page.getByLabel('Client certificate', { exact: true }).selectOption('request');
    await page.getByLabel('Private certificate authorities (PEM)').fill(ca);
    await page.getByRole('button', { name: 'Make a key and a certificate request' }).click();
    return await page.getByLabel('Certificate request', { exact: true }).inputValue();
  };
  // The customer is not there yet. Signing takes longer than the ticket lasts: the link is opened again.
  const first = await openInvited(browser, intake, invitation);
  const csr = await state(first.page);
  await first.page.getByRole('button', { name: 'Encrypt and send' }).click();
  await first.page.getByText('The signed certificate is missing').waitFor();
  expect(await axeIssues(first.page)).toEqual([]);
  await first.close();
  const { page, wrongs, close } = await openInvited(browser, other, invitation);
  expect(await state(page)).toBe(csr);
  await page.getByLabel('Signed certificate').fill(certificates.client.certificate);
  await sendIt(page);
  await page.getByText('is for another key than that of the latest certificate request').waitFor();
  await page.getByLabel('Signed certificate').fill(signRequest(certificates, csr));
  await sendIt(page);
  await page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(wrongs).toEqual([]);
  await close();
  expect((await intake.plane.call('POST', `/subscriptions/${customer}/approve`)).status).toBe(200);

  const inviting = await openPage(browser, portalOrigin());
  await signIn(inviting.page, operator.token, `/portal/invitations?customer=${customer}&invite=new`);
  await inviting.page.getByLabel('Purpose').selectOption('secrets');
  await inviting.page.getByLabel('A client certificate by request').check();
  await inviting.page.getByRole('button', { name: 'Invite', exact: true }).click();
  const shown = async (name: string) => (await inviting.page.getByLabel(name, { exact: true }).textContent()) ?? '';
  const again = { id: '', link: await shown('Link'), code: await shown('Code') };
  expect(inviting.wrongs).toEqual([]);
  await inviting.close();
  const renewed = await openInvited(browser, intake, again);
  await renewed.page.getByRole('button', { name: 'Make a key and a certificate request' }).click();
  const next = await renewed.page.getByLabel('Certificate request', { exact: true }).inputValue();
  expect(next).not.toBe(csr);
  const certificate = signRequest(certificates, next);
  await renewed.page.getByLabel('Signed certificate').fill(certificate);
  await sendIt(renewed.page);
  await renewed.page.getByText('Your destination accepted the test event (status 200).').waitFor();
  expect(renewed.wrongs).toEqual([]);
  await renewed.close();
  const { body } = await intake.plane.call('GET', `/subscriptions/${customer}`);
  expect(body.tls).toMatchObject({ clientCertificate: certificate.trim(), clientKey: '[secret]' });
  expect(new Set(receiver.subjects)).toEqual(new Set([`databridge-${customer}`]));
  await expectNoKeyInClear(customer);
  receiver.stop();
}, 120_000);

test('a key pair that was made on the set-up page goes with its invitation when that is revoked', async () => {
  const { browser, intakes, stage } = shared();
  const [intake] = intakes;
  const customer = freshName('revoked-request');
  const grant = { setup: { eventTypes: ['root-cause'], match: { company: [customer] } } };
  const invitation = await invite(intake, customer, grant);
  const { page, close } = await openInvited(browser, intake, invitation);
  await page.getByText('Mutual TLS').click();
  await page.getByLabel('Client certificate', { exact: true }).selectOption('request');
  await page.getByRole('button', { name: 'Make a key and a certificate request' }).click();
  await page.getByLabel('Certificate request', { exact: true }).waitFor();
  await close();
  const ofCustomer = async () =>
    (await stage.read(CERTIFICATE_REQUESTS_TOPIC)).filter(({ key }) => key?.toString() === customer);
  expect((await ofCustomer()).map(({ value }) => value === null)).toEqual([false]);
  expect((await intake.plane.call('POST', `/invitations/${invitation.id}/revoke`)).status).toBe(200);
  expect((await ofCustomer()).at(-1)?.value).toBeNull();
}, 120_000);

/** It is in no topic but sealed, and in no log. */
async function expectNoKeyInClear(customer: string): Promise<void> {
  const { stage, intakes } = shared();
  const seen: string[] = [];
  await readTopics(
    stage.operations.kafka,
    systemTopics().map(({ topic }) => topic),
    {
      onBatch: ({ records }) => void seen.push(...records.map(({ value }) => value?.toString('latin1') ?? '')),
    },
  );
  const services = [stage.delivery, stage.fanOut, ...intakes.map(({ plane }) => plane.service)];
  for (const { logs, otherOutput } of services) seen.push(JSON.stringify([logs, otherOutput]));
  expect(seen.filter((text) => text.includes('PRIVATE KEY'))).toEqual([]);
  const [made] = (await stage.read(CERTIFICATE_REQUESTS_TOPIC)).filter(({ key }) => key?.toString() === customer);
  expect(JSON.parse(made?.value?.toString() ?? '{}')).toMatchObject({ sealedKey: expect.stringMatching(/^ey.*\./) });
}

test('a customer that is paused gets a test event, and nothing else', async () => {
  const { stage, intakes } = shared();
  const { plane } = intakes[0];
  const customer = freshName('paused');
  let accepted = 'k-1';
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-key'] === accepted ? 200 : 401 }));
  const authentication = { type: 'api-key', name: 'x-key', key: accepted };
  await stage.subscribe(customer, receiver.url, { authentication, state: 'paused' });
  const tested = await plane.call('POST', `/subscriptions/${customer}/test`, { body: {} });
  expect(tested).toMatchObject({ status: 200, body: { outcome: 'delivered', status: 200 } });
  expect(receiver.requests.map(({ id }) => id)).toEqual([tested.body.eventId]);
  // A key that was saved just before is the one that is tested.
  accepted = 'k-2';
  await stage.subscribe(customer, receiver.url, {
    authentication: { ...authentication, key: accepted },
    state: 'paused',
  });
  expect(await plane.call('POST', `/subscriptions/${customer}/test`, { body: {} })).toMatchObject({
    body: { outcome: 'delivered' },
  });
  // Its own topic, and with it its books and offsets, are as they were.
  expect(await stage.read(deliveryTopic(customer))).toEqual([]);
  expect((await plane.call('GET', `/subscriptions/${customer}/status`)).body).toMatchObject({ state: 'paused' });
}, 120_000);
