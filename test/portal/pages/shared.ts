/** What all tests of pages share: one fleet that is made up, without Kafka, and one browser. */
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../harness/portal/browser.ts';
import { portalDirectory } from '../../harness/portal/built.ts';
import { SAMPLE_TOKENS, type SampleFleet, startSampleFleet } from '../../harness/portal/sample-fleet.ts';

interface Shared {
  readonly browser: Browser;
  readonly fleet: SampleFleet;
  readonly portalDir: string;
}

let started: Shared | undefined;

/** @throws {Error} outside of tests */
export function shared(): Shared {
  if (started === undefined) throw new Error('nothing is started yet');
  return started;
}

const WITHIN_MS = 240_000;

beforeAll(async () => {
  const [browser, portalDir] = await Promise.all([launchBrowser(), portalDirectory()]);
  started = { browser, portalDir, fleet: await startSampleFleet(portalDir) };
}, WITHIN_MS);

afterAll(async () => {
  await started?.browser.close();
  await started?.fleet.stop();
});

export async function signIn(page: Page, who: keyof typeof SAMPLE_TOKENS, path = '/portal/'): Promise<void> {
  await page.goto(path);
  await page.getByLabel('Token').fill(SAMPLE_TOKENS[who].token);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}
