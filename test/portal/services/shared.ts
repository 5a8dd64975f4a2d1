/** What all tests of the portal and the set-up page with real services share: it is started once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../harness/portal/browser.ts';
import { portalDirectory } from '../../harness/portal/built.ts';
import { type Intake, startIntake } from '../../harness/portal/set-up-page.ts';
import { Stage } from '../../harness/stage.ts';
import { freshName } from '../../harness/topics.ts';

/** A customer that signs in to the portal. */
export const SHOP = freshName('shop');
export const operator = Tokens.generate('ann', 'operator');
export const reader = Tokens.generate('bob', 'reader');
export const shopOps = Tokens.generate('shop-ops', 'customer', SHOP);

export interface Shared {
  readonly stage: Stage;
  readonly browser: Browser;
  /** Two control planes, each with portal and set-up page; the writer first. */
  readonly intakes: readonly [Intake, Intake];
  /** Where services write their heaps after SIGUSR2. */
  readonly heaps: string;
}

let started: Shared | undefined;

/** @throws {Error} outside of tests */
export function shared(): Shared {
  if (started === undefined) throw new Error('nothing is started yet');
  return started;
}

const WITHIN_MS = 240_000;

beforeAll(async () => {
  const heaps = await mkdtemp(join(tmpdir(), 'heaps-'));
  const NODE_OPTIONS = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${heaps}`;
  const [stage, browser, PORTAL_DIR] = await Promise.all([
    Stage.start({ delivery: { NODE_OPTIONS } }),
    launchBrowser(),
    portalDirectory(),
  ]);
  const EVENT_TYPES = `root-cause=${stage.upstream.topic}`;
  const env = { NODE_OPTIONS, PORTAL_DIR, EVENT_TYPES, LOG_LEVEL: 'trace', SESSION_TIMEOUT: '6s' };
  const tokens = [operator, reader, shopOps];
  const writer = await startIntake(stage, tokens, env);
  started = { stage, browser, heaps, intakes: [writer, await startIntake(stage, tokens, env)] };
}, WITHIN_MS);

afterAll(async () => {
  await started?.browser.close();
  if (started !== undefined) await rm(started.heaps, { recursive: true, force: true });
});

/** Of the portal. */
export const portalOrigin = () => new URL(shared().intakes[0].plane.url).origin;

export async function signIn(page: Page, token: string, path: string): Promise<void> {
  await page.goto(path);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}
