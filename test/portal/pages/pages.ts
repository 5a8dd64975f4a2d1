/** Every page in a real browser, over a fleet that is made up: what it shows, by which keys, and that nothing goes wrong. */
import type { Page } from 'playwright-core';
import { axeIssues, issuesInEveryLook, WIDE } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { answerFromTopics } from '../../harness/portal/sample-answers.ts';
import { FAILING_EVENT as FAILING, SAMPLE_TOKENS, startSampleFleet } from '../../harness/portal/sample-fleet.ts';
import { shared, signIn } from './shared.ts';

/** Every page, and the address of what can be opened in it. */
const PAGES: readonly (readonly [path: string, shows: string])[] = [
  ['/portal/fleet', '5 customers, 3 need help; 5 shown.'],
  ['/portal/fleet?only=trouble', '5 customers, 3 need help; 3 shown.'],
  ['/portal/invitations', 'Wrong codes'],
  ['/portal/invitations?customer=acme&invite=new', 'Valid for'],
  ['/portal/approvals', '1 set-up to be approved'],
  ['/portal/health', 'Keys of this control plane'],
  ['/portal/quarantine?open=root-cause.events%2F0%2F77', 'Open it (audited)'],
  ['/portal/audit?open=change-1', '/ratePerSecond'],
  ['/portal/sessions', 'this session'],
  ['/portal/event-types', 'Sample of root-cause'],
  [`/portal/events/${FAILING}`, 'initech'],
  ['/portal/customers/acme', 'The same as a table'],
  ['/portal/customers/acme?hours=6', 'The same as a table'],
  ['/portal/customers/globex', 'your API does not accept our credentials'],
  ['/portal/customers/initech', '160 of 185 attempts'],
  ['/portal/customers/wonka', 'an operator has to approve the set-up'],
  ['/portal/customers/acme/events', 'Last attempt'],
  ['/portal/customers/acme/events?state=held', 'No event is in that state.'],
  ['/portal/customers/acme/replay?by=time&time=2026-10-25T00%3A30%3A00.000Z', 'Deliver again'],
  ['/portal/customers/acme/events?from=2026-10-25T00%3A30%3A00.000Z&to=2026-10-25T01%3A30%3A00.000Z', 'in that range'],
  [`/portal/customers/initech/events/${FAILING}`, 'Attempt 160'],
  [`/portal/customers/acme/dead-letters?reason=refused&open=${FAILING.replace('999999', '000101')}a`, 'Its attempts'],
  ['/portal/customers/acme/replay?by=offset&offset=7', 'Deliver again'],
  ['/portal/customers/acme/filter', 'made up'],
  ['/portal/customers/acme/set-up', 'Further settings'],
  ['/portal/customers/acme/set-up?as=json', 'Show it as a form'],
  ['/portal/customers/acme/secrets', 'Remove previous secret'],
  ['/portal/customers/acme/history?open=change-1', '/ratePerSecond'],
];

/** What every page has around it is judged on the first one. */
const FRAME = ['header.top'];
const SHARES = 2;
/** How often the page of the fleet reads it again: services/portal/src/api/queries.ts. */
const READ_EVERY_MS = 10_000;

/** Without loading the portal again: that would take longer than all that is judged. */
const goTo = (page: Page, path: string) => page.evaluate((to) => history.pushState(null, '', to), path);

/** Signs in once, and goes from page to page. @returns what is wrong, with its page */
async function judge(pages: typeof PAGES): Promise<unknown[]> {
  const { browser, fleet } = shared();
  const { page, wrongs, close } = await openPage(browser, fleet.origin, { viewport: WIDE });
  const issues: unknown[] = [];
  const check = (what: readonly unknown[], found: readonly unknown[]) => {
    if (found.length > 0) issues.push([...what, ...found]);
  };
  await answerFromTopics(page);
  await page.goto('/portal/');
  await page.getByLabel('Token').waitFor();
  check(['sign-in'], await axeIssues(page));
  await signIn(page, 'operator');
  for (const [nth, [path, shows]] of pages.entries()) {
    const except = nth === 0 ? [] : FRAME;
    const before = wrongs.length;
    await goTo(page, path);
    await page.getByText(shows).first().waitFor();
    check([path], await issuesInEveryLook(page, { except }));
    check([path, 'went wrong:'], wrongs.slice(before));
  }
  await close();
  return issues;
}

test('every page: axe finds nothing in any colors, no violation, no error, no foreign request, 320 px are enough', async () => {
  // Neighbors in the list are often the same page with another filter: each goes to another tab, so that none is mistaken.
  const shares = Array.from({ length: SHARES }, (_, share) => PAGES.filter((_, nth) => nth % SHARES === share));
  expect((await Promise.all(shares.map(judge))).flat()).toEqual([]);
}, 400_000);

test('by keyboard alone: sign in, find who needs help, open it, look an event up, read the keys', async () => {
  const { browser, fleet } = shared();
  const { page, wrongs, close } = await openPage(browser, fleet.origin);
  await page.goto('/portal/');
  await page.getByLabel('Token').waitFor();
  await page.keyboard.type(SAMPLE_TOKENS.operator.token);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'umbrella' }).waitFor();
  // The first in the table needs help most.
  await page.getByRole('checkbox').press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Disabled: no success for 24 hours.').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type(FAILING);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: `Event ${FAILING}` }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor({ state: 'hidden' });
  expect(wrongs).toEqual([]);
  await close();
});

test('a customer sees itself alone, a reader no actions', async () => {
  const { browser, fleet } = shared();
  const own = await openPage(browser, fleet.origin);
  await signIn(own.page, 'customer');
  await own.page.getByRole('heading', { name: 'acme: overview' }).waitFor();
  expect(await own.page.getByRole('link', { name: 'Customers' }).count()).toBe(0);
  await own.page.getByRole('button', { name: 'Send a test event' }).waitFor();
  await own.page.getByRole('link', { name: 'Event types' }).click();
  await own.page.getByText('Sample of root-cause').click();
  await own.page.getByText('"schema_version": "v1.0"').waitFor();
  expect(await own.page.getByRole('link', { name: 'AsyncAPI document' }).count()).toBe(0);
  await own.page.getByRole('link', { name: 'Fields of root-cause' }).click();
  await own.page.getByText('clientwords').first().waitFor();
  await own.page.goto('/portal/customers/globex');
  await own.page.getByText('There is no customer "globex"').first().waitFor();
  await own.close();

  const reader = await openPage(browser, fleet.origin);
  await signIn(reader.page, 'reader', '/portal/customers/acme');
  await reader.page.getByRole('heading', { name: 'acme: overview' }).waitFor();
  await reader.page.getByText('The same as a table').waitFor();
  expect(await reader.page.getByRole('button', { name: 'Send a test event' }).count()).toBe(0);
  await reader.close();
});

test('after a session expires, signing in again keeps the form and sends the request that was refused', async () => {
  const { browser, fleet } = shared();
  const { page, close } = await openPage(browser, fleet.origin);
  await signIn(page, 'operator', '/portal/customers/acme/set-up');
  await page.getByLabel('Events per second, at most').fill('7');
  await page.context().clearCookies();
  const sent: (string | null)[] = [];
  page.on('request', (request) => void (request.method() === 'PATCH' && sent.push(request.postData())));
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.waitFor();
  const answered = page.waitForResponse((answer) => answer.request().method() === 'PATCH' && answer.status() !== 401);
  await page.getByLabel('Token').fill(SAMPLE_TOKENS.operator.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await answered;
  expect(sent).toEqual([sent[0], sent[0]]);
  expect(sent[0]).toBe('{"ratePerSecond":7}');
  expect(await page.getByLabel('Events per second, at most').inputValue()).toBe('7');
  await close();
});

test('after a session ends, signing in again opens the requested page; a link signs in once', async () => {
  const { browser, fleet } = shared();
  const { page, close } = await openPage(browser, fleet.origin);
  await signIn(page, 'operator', '/portal/fleet?find=ini');
  await page.getByText('5 customers, 3 need help; 1 shown.').waitFor();
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'initech' }).click();
  await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
  await page.getByLabel('Token').fill(SAMPLE_TOKENS.operator.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('160 of 185 attempts').waitFor();
  await close();

  const headers = { authorization: `Bearer ${SAMPLE_TOKENS.operator.token}` };
  const link = await fleet.api.inject({ method: 'POST', url: '/v1/sessions/links', headers });
  const { path } = link.json<{ path: string }>();
  const first = await openPage(browser, fleet.origin);
  await first.page.goto(path);
  await first.page.getByRole('heading', { name: 'Customers' }).waitFor();
  expect(first.page.url()).not.toContain('#');
  await first.close();
  const second = await openPage(browser, fleet.origin);
  await second.page.goto(path);
  await second.page.getByText('A sign-in link can be used once').waitFor();
  await second.close();
});

test('what is tried while one reads waits until one asks for it; times follow the zone', async () => {
  const { browser, fleet } = shared();
  const { page, close } = await openPage(browser, fleet.origin, { timezoneId: 'Asia/Tokyo' });
  const streaming = page.waitForResponse((answer) => answer.url().endsWith('/attempts/live'));
  await signIn(page, 'operator', '/portal/customers/acme/events');
  await streaming;
  await page.getByRole('table').waitFor();
  fleet.take('acme', [{ eventId: 'brand-new' }]);
  const show = page.getByRole('button', { name: 'Show 1 new attempt' });
  await show.waitFor();
  expect(await page.getByRole('link', { name: 'brand-new' }).count()).toBe(0);
  await show.click();
  await page.getByRole('link', { name: 'brand-new' }).click();
  await page.getByText('GMT+9').first().waitFor();
  await page.getByLabel('Time zone').selectOption('America/New_York');
  await page
    .getByText(/GMT[−-][45]/)
    .first()
    .waitFor();
  await close();
});

test('the hour that occurs twice when clocks go back is unambiguous, in each of two zones', async () => {
  const { browser, fleet } = shared();
  const at = (time: string) => Date.parse(time);
  const [beforeBerlin, afterBerlin] = [at('2026-10-25T00:30:00Z'), at('2026-10-25T01:30:00Z')];
  const [beforeNewYork, afterNewYork] = [at('2026-11-01T05:30:00Z'), at('2026-11-01T06:30:00Z')];
  const times = [beforeBerlin, afterBerlin, beforeNewYork, afterNewYork];
  fleet.take(
    'wonka',
    times.map((ms) => ({ eventId: 'clocks', at: ms })),
  );
  const { page, close } = await openPage(browser, fleet.origin, { timezoneId: 'Europe/Berlin' });
  await signIn(page, 'operator', '/portal/customers/wonka/events/clocks');
  const shown = async () => (await page.locator('.timeline time').allTextContents()).map((one) => one.split(' (')[0]);
  await page.getByText('2026-10-25 02:30:00 GMT+2').first().waitFor();
  const minus = (text: string | undefined) => text?.replace('\u2212', '-');
  expect((await shown()).map(minus)).toEqual([
    ...['2026-11-01 07:30:00 GMT+1', '2026-11-01 06:30:00 GMT+1'],
    ...['2026-10-25 02:30:00 GMT+1', '2026-10-25 02:30:00 GMT+2'],
  ]);
  await page.getByLabel('Time zone').selectOption('America/New_York');
  await page
    .getByText(/2026-11-01 01:30:00 GMT.5/)
    .first()
    .waitFor();
  expect((await shown()).map(minus)).toEqual([
    ...['2026-11-01 01:30:00 GMT-5', '2026-11-01 01:30:00 GMT-4'],
    ...['2026-10-24 21:30:00 GMT-4', '2026-10-24 20:30:00 GMT-4'],
  ]);
  await close();
});

test('a range is typed in the zone that is shown, and the address has it as the same moment for everybody', async () => {
  const { browser, fleet } = shared();
  const [early, late] = ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'].map((time) => Date.parse(time));
  fleet.take('umbrella', [
    { eventId: 'first-half-past-two', at: early ?? 0 },
    { eventId: 'second-half-past-two', at: late ?? 0 },
  ]);
  const { page, wrongs, close } = await openPage(browser, fleet.origin, { timezoneId: 'Europe/Berlin' });
  await signIn(page, 'operator', '/portal/customers/umbrella/events');
  await page.getByLabel('Latest attempt from').fill('2026-10-25T02:30');
  await page.getByLabel('Latest attempt before').fill('2026-10-25T03:30');
  await page.getByRole('link', { name: 'first-half-past-two' }).waitFor();
  await page.getByRole('link', { name: 'second-half-past-two' }).waitFor();
  const search = () => new URL(page.url()).searchParams;
  expect([search().get('from'), search().get('to')]).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-25T02:30:00.000Z']);
  // The second of the two, by its offset: 01:30 UTC.
  await page.getByLabel('Time zone').selectOption('UTC');
  expect(await page.getByLabel('Latest attempt from').inputValue()).toMatch(/^2026-10-25T00:30(:00)?$/);
  await page.getByLabel('Latest attempt from').fill('2026-10-25T01:30');
  await page.getByRole('link', { name: 'first-half-past-two' }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'second-half-past-two' }).waitFor();
  await page.reload();
  await page.getByRole('link', { name: 'second-half-past-two' }).waitFor();
  expect(wrongs).toEqual([]);
  await close();
});

test('after a 503 to a change, the page says that it may be done, and keeps what was typed', async () => {
  const { browser, fleet } = shared();
  const { page, close } = await openPage(browser, fleet.origin);
  await signIn(page, 'operator', '/portal/customers/acme/set-up');
  const problem = {
    type: 'about:blank',
    title: 'Unavailable',
    code: 'DB_NO_WRITER',
    detail: 'No control plane writes.',
  };
  await page.route('**/v1/subscriptions/acme', async (route) => {
    if (route.request().method() === 'PATCH') await route.fulfill({ status: 503, json: { ...problem, status: 503 } });
    else await route.fallback();
  });
  await page.getByLabel('Events per second, at most').fill('9');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('No control plane writes.').waitFor();
  await page.getByText('The change may have been made: check the current state before you try again.').waitFor();
  expect(await page.getByLabel('Events per second, at most').inputValue()).toBe('9');
  await page.unroute('**/v1/subscriptions/acme');
  await page.route('**/v1/subscriptions/acme', (route) => route.abort());
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The API could not be reached.').first().waitFor();
  await page.getByText('The change may have been made: check').waitFor();
  await close();
});

test('how an OAuth client proves itself decides which fields it has, and what was typed into others is dropped', async () => {
  const { browser, fleet } = shared();
  const { page, wrongs, close } = await openPage(browser, fleet.origin, { viewport: WIDE });
  await answerFromTopics(page);
  await signIn(page, 'operator', '/portal/customers/acme/set-up');
  const authentication = page.getByRole('group', { name: 'Authentication' });
  await page.getByLabel('How the destination recognizes Databridge').selectOption('oauth');
  await authentication.getByLabel('Client secret', { exact: true }).fill('typed-secret');
  expect(await authentication.getByLabel('OAuth signing key', { exact: true }).count()).toBe(0);
  await page.getByLabel('Client authentication').selectOption('private-key-jwt');
  await authentication.getByLabel('OAuth signing key', { exact: true }).fill('typed-key');
  await page.getByLabel('OAuth signing key id').fill('key-1');
  expect(await authentication.getByLabel('Client secret', { exact: true }).count()).toBe(0);
  await page.getByText('/authentication/clientKeyId').waitFor();
  expect(await page.getByText('/authentication/clientSecret').count()).toBe(0);
  await page.getByText('another secret').waitFor();
  expect(await issuesInEveryLook(page)).toEqual([]);
  expect(wrongs).toEqual([]);
  await close();
});

test('rows of the fleet stay where they are while one reads, until one asks for their order', async () => {
  const { browser, fleet } = shared();
  const { page, close } = await openPage(browser, fleet.origin);
  await page.clock.install();
  await signIn(page, 'operator');
  const names = () => page.locator('tbody tr td:first-child').allTextContents();
  await page.getByRole('link', { name: 'umbrella' }).waitFor();
  const before = await names();
  await page.route('**/v1/status?*', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { items: { customer: string; state: string; disabledBy?: string }[] };
    for (const one of body.items) {
      if (one.customer === before.at(-1)) Object.assign(one, { state: 'disabled', disabledBy: 'worker' });
    }
    await route.fulfill({ response: answer, json: body });
  });
  const again = page.getByRole('button', { name: 'The order has changed: sort again' });
  await page.clock.fastForward(READ_EVERY_MS);
  await again.waitFor();
  expect(await names()).toEqual(before);
  const last = page.getByRole('row').filter({ hasText: before.at(-1) ?? '' });
  await last.getByRole('cell', { name: 'Disabled', exact: true }).waitFor();
  await again.click();
  await again.waitFor({ state: 'detached' });
  expect(await names()).not.toEqual(before);
  await close();
});

test('an operator sees what a customer sees, without its actions', async () => {
  const { browser, fleet } = shared();
  const { page, wrongs, close } = await openPage(browser, fleet.origin);
  await signIn(page, 'operator', '/portal/customers/acme');
  await page.getByRole('button', { name: 'View as acme' }).click();
  await page.getByText('You see what acme sees.').waitFor();
  await page.getByText('The same as a table').waitFor();
  expect(await page.getByRole('link', { name: 'Customers' }).count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Send a test event' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Back to your own view' }).click();
  await page.getByRole('heading', { name: 'Customers' }).waitFor();
  expect(wrongs).toEqual([]);
  await close();
});

test('of 1,000 customers and 100,000 attempts, only the rows in sight are in the page', async () => {
  const { browser } = shared();
  const large = await startSampleFleet(shared().portalDir, { customers: 1_000, attempts: 100_000 });
  const { page, wrongs, close } = await openPage(browser, large.origin);
  await signIn(page, 'operator');
  await page.getByText('1,000 customers, 3 need help; 1,000 shown.').waitFor();
  await page.locator('table[aria-rowcount="1001"]').waitFor();
  expect(await page.locator('tbody tr').count()).toBeLessThan(120);
  await page.keyboard.press('End');
  await page.getByRole('link', { name: 'customer-0999' }).waitFor();
  await page.getByRole('searchbox', { name: 'Name contains' }).fill('0777');
  await page.getByRole('link', { name: 'customer-0777' }).waitFor();
  await page.goto('/portal/customers/acme/events');
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await page.locator('table[aria-rowcount="201"]').waitFor();
  expect(wrongs).toEqual([]);
  await close();
  await large.stop();
});
