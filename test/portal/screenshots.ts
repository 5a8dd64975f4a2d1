/** `npm run portal:screenshots`: the pictures of docs/portal.md, of a fleet and an invitation that are made up. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createListener } from '@databridge/control-plane/invitations/listener';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { makeInvitationCode } from '@databridge/schemas/records/invitation-code';
import type { Page } from 'playwright-core';
import { launchBrowser, openPage } from '../harness/portal/browser.ts';
import { buildSetUpPage, portalDirectory } from '../harness/portal/built.ts';
import { answerFromTopics } from '../harness/portal/sample-answers.ts';
import { FAILING_EVENT, SAMPLE_TOKENS, startSampleFleet } from '../harness/portal/sample-fleet.ts';

interface Shot {
  readonly name: string;
  readonly path: string;
  /** The picture is taken once this text is there. */
  readonly shows: string;
  readonly colorScheme?: 'dark';
  /** What is done on the page before. */
  act?(page: Page): Promise<unknown>;
}

const SHOTS: readonly Shot[] = [
  { name: 'customers', path: '/portal/fleet', shows: '60 customers' },
  { name: 'overview', path: '/portal/customers/initech', shows: 'The same as a table' },
  {
    name: 'deliveries',
    path: '/portal/customers/acme/events',
    shows: 'Latest attempt from',
  },
  { name: 'set-up', path: '/portal/customers/acme/set-up', shows: 'Kind of destination' },
  {
    name: 'set-up-oauth',
    path: '/portal/customers/acme/set-up',
    shows: 'Kind of destination',
    act: async (page) => {
      await page.getByLabel('How the destination recognizes Databridge').selectOption('oauth');
      await page.getByLabel('Client authentication').selectOption('private-key-jwt');
      await page.getByLabel('OAuth signing key', { exact: true }).scrollIntoViewIfNeeded();
    },
  },
  { name: 'invitations', path: '/portal/invitations', shows: 'Wrong codes' },
  { name: 'invite', path: '/portal/invitations?customer=wayne&invite=new', shows: 'Hosts that it may use' },
  {
    name: 'event',
    path: `/portal/customers/initech/events/${FAILING_EVENT}`,
    shows: 'Attempt 160',
    colorScheme: 'dark',
  },
];

const directory = fileURLToPath(new URL('../../docs/portal', import.meta.url));
const viewport = { width: 1_100, height: 720 };
await mkdir(directory, { recursive: true });
const fleet = await startSampleFleet(await portalDirectory(), { customers: 60, attempts: 5_000 });
const browser = await launchBrowser();
const { page, wrongs } = await openPage(browser, fleet.origin, { viewport, timezoneId: 'Europe/Berlin' });
await answerFromTopics(page);
await page.goto('/portal/');
await page.getByLabel('Token').fill(SAMPLE_TOKENS.operator.token);
await page.keyboard.press('Enter');
await page.getByRole('button', { name: 'Sign out' }).waitFor();
for (const { name, path, shows, colorScheme = 'light', act } of SHOTS) {
  await page.emulateMedia({ colorScheme });
  await page.goto(path);
  await page.getByText(shows).first().waitFor();
  await act?.(page);
  await page.screenshot({ path: `${directory}/${name}.png` });
}
await fleet.stop();
const ofPage = await takeSetUpPage();
await browser.close();
if (wrongs.length + ofPage.length > 0) throw new Error([...wrongs, ...ofPage].join('\n'));

/** The set-up page, served as by a control plane, with an answer that is made up. */
async function takeSetUpPage(): Promise<readonly string[]> {
  buildSetUpPage();
  const listener = createListener({
    desk: new SealingDesk(parseKeySet(generateKeySet('k1').controlPlane)),
    files: new URL('../../services/intake-page/dist/', import.meta.url),
    log: createLogger('screenshots', 'silent'),
    ask: async () => ({
      status: 200,
      body: {
        ...{ kind: 'setup', customer: 'wayne', by: 'ann', reason: 'Your first set-up', goesTo: ['*.wayne.example'] },
        ...{ places: [], isForNotices: false, key: {}, ticket: 't', untilMs: Date.UTC(2026, 0, 5, 10, 45) },
      },
    }),
  });
  const origin = await listener.listen({ host: '127.0.0.1', port: 0 });
  const opened = await openPage(browser, origin, {
    viewport: { width: 760, height: 980 },
    timezoneId: 'Europe/Berlin',
  });
  await opened.page.goto('/s/AAAAAAAAAAAAAAAAAAAAAA');
  await opened.page.getByLabel('Code').fill(makeInvitationCode(new Uint8Array(8)));
  await opened.page.getByRole('button', { name: 'Continue' }).click();
  await opened.page.getByLabel('URL').fill('https://api.wayne.example/events');
  await opened.page.getByLabel('Authentication', { exact: true }).selectOption('oauth');
  await opened.page.getByText('Extra parameters of the token request').click();
  await opened.page.getByRole('button', { name: 'Add a parameter' }).click();
  await opened.page.screenshot({ path: `${directory}/set-up-page.png`, fullPage: true });
  await opened.close();
  await listener.close();
  return opened.wrongs;
}
