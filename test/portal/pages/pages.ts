/** Every page in a real browser, over a fleet that is made up: what it shows, by which keys, and that nothing goes wrong. */
import { axeIssues } from '../../harness/portal/axe.ts';
import { openPage } from '../../harness/portal/browser.ts';
import { SAMPLE_TOKENS, startSampleFleet } from '../../harness/portal/sample-fleet.ts';
import { shared, signIn } from './shared.ts';

const FAILING = '0b5e7a1c-0000-4000-8000-000000999999';
const PAGES: readonly (readonly [path: string, shows: string])[] = [
  ['/portal/fleet', '5 customers, 3 need help; 5 shown.'],
  ['/portal/fleet?only=trouble', '5 customers, 3 need help; 3 shown.'],
  ['/portal/customers/acme', 'The same as a table'],
  ['/portal/customers/globex', 'your API does not accept our credentials'],
  ['/portal/customers/initech', '160 of 185 attempts'],
  ['/portal/customers/acme/events', 'Last attempt'],
  ['/portal/customers/acme/events?state=held', 'No event is in that state.'],
  [`/portal/customers/initech/events/${FAILING}`, 'Attempt 160'],
  [`/portal/events/${FAILING}`, 'initech'],
];
const LOOKS = [
  { colorScheme: 'light', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'active' },
] as const;

test('every page, light, dark and in forced colors: nothing that axe minds, no violation, no error, nothing from elsewhere', async () => {
  const { browser, fleet } = shared();
  const { page, wrongs, close } = await openPage(browser, fleet.origin);
  await page.goto('/portal/');
  await page.getByLabel('Token').waitFor();
  expect(await axeIssues(page)).toEqual([]);
  await signIn(page, 'operator');
  for (const [path, shows] of PAGES) {
    await page.goto(path);
    await page.getByText(shows).first().waitFor();
    for (const look of LOOKS) {
      await page.emulateMedia(look);
      expect([path, look, await axeIssues(page)]).toEqual([path, look, []]);
    }
  }
  expect(wrongs).toEqual([]);
  await close();
});

test('at a width of 320 px nothing but tables and code scrolls sideways', async () => {
  const { browser, fleet } = shared();
  const { page, close } = await openPage(browser, fleet.origin, { viewport: { width: 320, height: 640 } });
  await signIn(page, 'operator');
  for (const [path, shows] of PAGES) {
    await page.goto(path);
    await page.getByText(shows).first().waitFor();
    expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 320]);
  }
  await close();
});

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

test('a session that ends is begun anew in place; a link signs in once', async () => {
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
  await second.page.getByText('A sign-in link is good once').waitFor();
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
