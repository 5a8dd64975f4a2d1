/** A customer at work in the portal, with real services and a real Kafka: each change is seen where it counts. */
import { rootCauseEvent } from '../../harness/events.ts';
import { axeIssues } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { Receiver } from '../../harness/receiver.ts';
import { SHOP as customer, operator, shopOps as own, portalOrigin, reader, shared, signIn } from './shared.ts';

let isAccepting = true;
let knownKey = 'key-1';
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start(({ headers }) => {
    if (headers['x-key'] !== knownKey) return { status: 401 };
    return isAccepting ? { status: 200 } : { status: 422, body: '{"error":"unknown folder"}' };
  });
});

const produce = (events: number) =>
  shared().stage.upstream.produce(Array.from({ length: events }, () => rootCauseEvent({ company: customer })));

test('redrive, pause, resume, test, rotate a secret, mend the set-up, replay; and the history says who', async () => {
  const { stage, browser } = shared();
  const { plane } = shared().intakes[0];
  const created = await plane.call('PUT', `/subscriptions/${customer}`, {
    body: {
      ...{ eventTypes: ['root-cause'], match: { company: [customer] } },
      destination: { type: 'http', url: receiver.url },
      authentication: { type: 'api-key', name: 'x-key', key: 'key-1' },
    },
  });
  expect(created).toMatchObject({ status: 201 });
  await stage.fanOutKnowsAll();
  await produce(1);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  isAccepting = false;
  await produce(2);
  await receiver.waitFor(({ requests }) => requests.length === 3);

  const origin = portalOrigin();
  const { page, wrongs, close } = await openPage(browser, origin);
  const base = `/portal/customers/${customer}`;
  await signIn(page, own.token, `${base}/dead-letters`);
  await page.getByText('2 dead letters in all.').waitFor();
  expect(await axeIssues(page)).toEqual([]);

  await page.getByRole('button', { name: 'Redrive…' }).first().click();
  await page.getByText('Exactly 2 letters (2 refused) would be delivered once more.').waitFor();
  expect(receiver.requests.length).toBe(3);
  isAccepting = true;
  await page.getByRole('button', { name: 'Redrive (2)' }).click();
  await page.getByText('2 letters redriven.').waitFor();
  const receipt = page.getByRole('dialog').getByRole('link', { name: 'history' });
  expect(await receipt.getAttribute('href')).toBe(`${base}/history`);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByText('There is no dead letter.').waitFor();
  await receiver.waitFor(({ accepted }) => accepted === 3);

  await page.getByRole('link', { name: 'Deliveries' }).click();
  await page.locator('tbody').getByRole('link').first().click();
  await page.getByRole('button', { name: 'Read its content (audited)' }).click();
  await page.getByRole('dialog').getByText('The caller asks for a new address.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('button', { name: 'Pause…' }).click();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.getByText('Paused: events wait until it is resumed.').waitFor();
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByText('Delivering: nothing waits.').waitFor();

  knownKey = 'key-2';
  await page.getByRole('link', { name: 'Secrets' }).click();
  await page.getByRole('button', { name: 'Replace…' }).click();
  await page.getByLabel('New value').fill('key-2');
  await page.getByLabel(/the previous one is used/).selectOption('0s');
  const taken = stage.changeTaken(customer);
  const setting = page.waitForRequest((request) => request.method() === 'PUT');
  await page.getByRole('button', { name: 'Replace', exact: true }).click();
  await page.getByText('The secret was replaced.').waitFor();
  const sent = (await setting).postData() ?? '';
  expect([sent.includes('"sealed":"ey'), sent.includes('key-2')]).toEqual([true, false]);
  expect(await page.getByLabel('New value').count()).toBe(0);
  await page.getByRole('button', { name: 'Close' }).click();
  await taken();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('button', { name: 'Send a test event' }).click();
  await page.getByText(/the destination accepted the event, in .* with HTTP status 200/).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

  await page.getByRole('link', { name: 'Set-up' }).click();
  const rate = page.getByLabel('Events per second, at most');
  await rate.fill('-1');
  await page.getByText('/ratePerSecond', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').waitFor();
  expect(await rate.getAttribute('aria-invalid')).toBe('true');
  expect(await axeIssues(page)).toEqual([]);
  await rate.fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Nothing is changed').waitFor();
  expect((await plane.call('GET', `/subscriptions/${customer}`)).body).toMatchObject({ ratePerSecond: 7 });

  // Another host demands the secret again, and says so at its field.
  await page.getByLabel('URL', { exact: true }).fill(receiver.url.replace('127.0.0.1', '127.0.0.2'));
  await page.getByRole('button', { name: 'Save' }).click();
  const key = page.getByLabel('Key', { exact: true });
  await page.getByRole('alert').waitFor();
  expect(await key.getAttribute('aria-invalid')).toBe('true');
  await page.getByLabel('URL', { exact: true }).fill(receiver.url);
  await key.fill('typed-here');
  await page.getByText('another secret').waitFor();
  expect(await page.getByText('typed-here').count()).toBe(0);
  // What is typed here is sealed here: what is sent is a seal for its place.
  const patching = page.waitForRequest((request) => request.method() === 'PATCH');
  const keyTaken = stage.changeTaken(customer);
  await page.getByRole('button', { name: 'Save' }).click();
  const patched = (await patching).postDataJSON() as { sealed?: Record<string, string> };
  expect(patched).toEqual({ sealed: { 'authentication.key': expect.stringMatching(/^ey[\w-]+(\.[\w-]*){4}$/) } });
  await page.getByText('Nothing is changed').waitFor();
  await keyTaken();
  knownKey = 'typed-here';
  expect(await plane.call('POST', `/subscriptions/${customer}/test`, { body: {} })).toMatchObject({
    body: { outcome: 'delivered' },
  });
  // What no such secret can be is said at its field.
  await key.fill('with\u0007control');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('must be one line of printable ASCII').first().waitFor();
  expect(await key.getAttribute('aria-invalid')).toBe('true');
  await key.fill('');
  await page.getByText('Nothing is changed').waitFor();
  await page.getByRole('button', { name: 'Show all of it as JSON' }).click();
  const editor = page.getByRole('textbox', { name: /As JSON/ });
  const text = await editor.inputValue();
  expect(text).toContain('[secret]');
  expect(text).not.toContain('key-2');
  expect(page.url()).toContain('as=json');
  await page.getByRole('button', { name: 'Show it as a form' }).click();
  await page.getByLabel('Kind of destination').selectOption('sqs');
  await page.getByLabel('Queue URL').fill('not a URL');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByLabel('Queue URL').getAttribute('aria-invalid')).toBe('true');

  await page.getByRole('link', { name: 'Filter' }).click();
  await page.getByLabel('Filter', { exact: true }).fill(`event.summary.company == "${customer}"`);
  await page.getByRole('button', { name: 'Try it on recent events (audited)' }).click();
  await page.getByText(/It would pass 3 of 3 recent events/).waitFor();
  await page.getByLabel('Filter', { exact: true }).fill('false');
  await page.getByRole('button', { name: 'Try it on recent events (audited)' }).click();
  await page.getByText(/It would pass 0 of 3 recent events/).waitFor();

  await page.getByRole('link', { name: 'Replay' }).click();
  await page.getByLabel('Go back to').selectOption('earliest');
  await page.getByRole('button', { name: 'Deliver again…' }).click();
  await page.getByText(/Exactly \d+ events would be delivered again, from .* to/).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();

  await page.getByRole('link', { name: 'History' }).click();
  await page.getByText('set-secret').waitFor();
  for (const what of ['redrive', 'pause', 'resume', 'test', 'replace'])
    expect([what, await page.getByRole('cell', { name: what, exact: true }).count()]).toEqual([
      what,
      expect.any(Number),
    ]);
  expect(await page.getByText('shop-ops (customer)').count()).toBeGreaterThan(4);
  expect(await axeIssues(page)).toEqual([]);
  expect(wrongs).toEqual([]);
  await close();
});

test('an operator sees workers, the quarantine and the audit log; a reader the same without any action', async () => {
  const { stage, browser } = shared();
  await stage.upstream.produceRaw([{ key: 'bad', value: Buffer.from('not avro') }]);
  const origin = portalOrigin();
  for (const [token, mayAct] of [
    [operator.token, true],
    [reader.token, false],
  ] as const) {
    const { page, wrongs, close } = await openPage(browser, origin);
    await signIn(page, token, '/portal/quarantine');
    await page.getByText('malformed-frame').waitFor();
    expect(await page.getByRole('button', { name: 'Discard…' }).count()).toBe(mayAct ? 1 : 0);
    await page.getByRole('link', { name: 'Health' }).click();
    await page.getByRole('cell', { name: 'Alive', exact: true }).waitFor();
    await page.getByRole('cell', { name: 'registry' }).first().waitFor();
    expect(await axeIssues(page)).toEqual([]);
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('cell', { name: customer }).first().waitFor();
    await page.goto(`/portal/customers/${customer}/secrets`);
    await page.getByText('authentication.key', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Replace…' }).count()).toBe(mayAct ? 1 : 0);
    expect(wrongs).toEqual([]);
    await close();
  }
});
