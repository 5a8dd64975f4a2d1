/** Where a secret that was typed can be found: in the worker that uses it, and nowhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { systemTopics } from '@databridge/schemas/records/topics';
import { eventually } from '../../harness/eventually.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { invite, openInvited, sendIt } from '../../harness/portal/set-up-page.ts';
import { Receiver } from '../../harness/receiver.ts';
import type { ServiceProcess } from '../../harness/services/processes.ts';
import { customerAt, SECRETS } from './links.ts';
import { operator, portalOrigin, shared, signIn } from './shared.ts';

test('canary: a secret that was typed is in the delivery worker, and nowhere else', async () => {
  const { stage, browser, intakes, heaps } = shared();
  const [writer, other] = intakes;
  const heapOf = (service: ServiceProcess) => heapIn(heaps, service);
  const canary = 'canary-8e1f5b0c7d-typed-once';
  const inPortal = 'canary-27c9d4e8b1-typed-in-the-portal';
  const receiver = await Receiver.start();
  const customer = await customerAt(receiver);
  const invitation = await invite(other, customer, SECRETS);
  const { page, close } = await openInvited(browser, other, invitation);
  const bodies: string[] = [];
  page.on('request', (request) => void bodies.push(`${request.url()} ${request.postData() ?? ''}`));
  await page.getByLabel('Password').fill(canary);
  await sendIt(page);
  await page.getByText('Your destination accepted').waitFor();
  await close();
  const encoded = Buffer.from(`u:${canary}`).toString('base64');
  expect(receiver.requests.at(-1)?.headers['authorization']).toBe(`Basic ${encoded}`);

  // What is typed into the portal's own form is sealed there, too.
  const portal = await openPage(browser, portalOrigin());
  portal.page.on('request', (request) => void bodies.push(`${request.url()} ${request.postData() ?? ''}`));
  await signIn(portal.page, operator.token, `/portal/customers/${customer}/set-up`);
  await portal.page.getByLabel('Password').fill(inPortal);
  const taken = stage.changeTaken(customer);
  await portal.page.getByRole('button', { name: 'Save' }).click();
  await portal.page.getByText('Nothing is changed').waitFor();
  await taken();
  await portal.close();
  await writer.plane.call('POST', `/subscriptions/${customer}/test`, { body: {} });
  const next = Buffer.from(`u:${inPortal}`).toString('base64');
  expect(receiver.requests.at(-1)?.headers['authorization']).toBe(`Basic ${next}`);

  const readable: [string, string][] = [['request bodies', bodies.join('\n')]];
  for (const { name, logs, otherOutput } of [stage.fanOut, stage.delivery, writer.plane.service, other.plane.service]) {
    readable.push([`log of ${name}`, JSON.stringify([logs, otherOutput])]);
  }
  const topics = [...systemTopics().map(({ topic }) => topic), `delivery.${customer}`];
  await readTopics(stage.operations.kafka, topics, {
    onBatch({ topic, records }) {
      for (const { key, value, headers } of records) {
        readable.push([topic, `${key} ${value?.toString('latin1')} ${JSON.stringify(headers)}`]);
      }
    },
  });
  // What came to one was sealed, and forwarded to the other.
  readable.push(['heap of the writer', await heapOf(writer.plane.service)]);
  readable.push(['heap of the other control plane', await heapOf(other.plane.service)]);
  // The answer, and the question for the test event.
  expect(bodies.length).toBeGreaterThanOrEqual(2);
  for (const [where, text] of readable) {
    expect([where, contains(text, canary), contains(text, inPortal)]).toEqual([where, false, false]);
  }
  // That it would have been found.
  expect(contains(await heapOf(stage.delivery), inPortal)).toBe(true);
}, 180_000);

function contains(text: string, canary: string): boolean {
  const forms = [canary, Buffer.from(canary).toString('base64').slice(2, -4), Buffer.from(canary).toString('hex')];
  return forms.some((form) => text.includes(form));
}

async function heapIn(heaps: string, { pid }: ServiceProcess): Promise<string> {
  process.kill(pid, 'SIGUSR2');
  const name = await eventually(
    async () => readdirSync(heaps).find((one) => one.includes(`.${pid}.`) && isWhole(join(heaps, one))) ?? '',
    (found) => found !== '',
  );
  return readFileSync(join(heaps, name), 'latin1');
}

/** A snapshot ends with the closing brackets of its strings. */
const isWhole = (file: string) => readFileSync(file, 'latin1').trimEnd().endsWith(']}');
