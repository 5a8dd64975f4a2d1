/** `npm run portal:screenshots`: the pictures of docs/portal.md, of a fleet that is made up. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launchBrowser, openPage } from '../harness/portal/browser.ts';
import { portalDirectory } from '../harness/portal/built.ts';
import { FAILING_EVENT, SAMPLE_TOKENS, startSampleFleet } from '../harness/portal/sample-fleet.ts';

const SHOTS = [
  ['customers', '/portal/fleet', '60 customers', 'light'],
  ['overview', '/portal/customers/initech', 'The same as a table', 'light'],
  ['set-up', '/portal/customers/acme/set-up', 'Kind of destination', 'light'],
  ['invitations', '/portal/invitations', 'Wrong codes', 'light'],
  ['event', `/portal/customers/initech/events/${FAILING_EVENT}`, 'Attempt 160', 'dark'],
] as const;

const directory = fileURLToPath(new URL('../../docs/portal', import.meta.url));
await mkdir(directory, { recursive: true });
const fleet = await startSampleFleet(await portalDirectory(), { customers: 60, attempts: 5_000 });
const browser = await launchBrowser();
const viewport = { width: 1_100, height: 720 };
const { page, wrongs } = await openPage(browser, fleet.origin, { viewport, timezoneId: 'Europe/Berlin' });
await page.goto('/portal/');
await page.getByLabel('Token').fill(SAMPLE_TOKENS.operator.token);
await page.keyboard.press('Enter');
await page.getByRole('button', { name: 'Sign out' }).waitFor();
for (const [name, path, shows, colorScheme] of SHOTS) {
  await page.emulateMedia({ colorScheme });
  await page.goto(path);
  await page.getByText(shows).first().waitFor();
  await page.screenshot({ path: `${directory}/${name}.png` });
}
await browser.close();
await fleet.stop();
if (wrongs.length > 0) throw new Error(wrongs.join('\n'));
