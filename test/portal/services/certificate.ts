/** A client certificate by request, and a test of a customer that is paused: both are done by the worker that owns it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { CERTIFICATE_REQUESTS_TOPIC, deliveryTopic, systemTopics } from '@databridge/schemas/records/topics';
import { makeCertificates } from '../../harness/peers/certificates.ts';
import { axeIssues } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { Receiver } from '../../harness/receiver.ts';
import { startMutualTlsReceiver } from '../../harness/servers/mutual-tls-receiver.ts';
import { freshName } from '../../harness/topics.ts';
import { operator, portalOrigin, shared, signIn } from './shared.ts';

test('mutual TLS by request: the worker makes the key, the customer hands back the certificate, and the key stays there', async () => {
  const { browser, stage, intakes } = shared();
  const customer = freshName('by-request');
  const certificates = await makeCertificates();
  const { dir, ca } = certificates;
  const file = (name: string) => readFileSync(join(dir, name), 'utf8');
  const receiver = await startMutualTlsReceiver(certificates);
  await stage.subscribe(customer, `${receiver.origin}/`, { tls: { ca } });

  const { page, wrongs, close } = await openPage(browser, portalOrigin());
  page.setDefaultTimeout(60_000);
  await signIn(page, operator.token, `/portal/customers/${customer}/set-up`);
  await page.getByRole('button', { name: 'Make a key and a request' }).click();
  const csr = await page.getByLabel('Certificate request', { exact: true }).inputValue();
  expect(csr).toContain('BEGIN CERTIFICATE REQUEST');
  expect(await axeIssues(page)).toEqual([]);
  writeFileSync(join(dir, 'asked.csr'), csr);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, encoding: 'utf8', stdio: 'pipe' });
  const from = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'client.ext'];
  // It verifies the request's own signature first.
  openssl('x509', '-req', '-in', 'asked.csr', ...from, '-out', 'asked.crt');
  const certificate = page.getByLabel(/The certificate that was signed for it/);
  await certificate.fill(file('client.crt'));
  await page.getByRole('button', { name: 'Use this certificate' }).click();
  await page.getByText('is for another key than that of the latest certificate request').first().waitFor();
  await certificate.fill(file('asked.crt'));
  const taken = stage.changeTaken(customer);
  await page.getByRole('button', { name: 'Use this certificate' }).click();
  await page.getByText('It is in use, with its key.').waitFor();
  await taken();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('button', { name: 'Send a test event' }).click();
  await page.getByText(/the destination accepted the event/).waitFor();
  expect(receiver.subjects).toEqual([`databridge-${customer}`]);
  expect(wrongs).toEqual([]);
  await close();

  // The key is in no topic but sealed, and in no log.
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
  receiver.stop();
}, 120_000);

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
