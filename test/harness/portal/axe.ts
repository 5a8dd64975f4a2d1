/// <reference lib="dom" />
/** axe-core's judgment of a page, by the rules of WCAG 2.2 A and AA. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface Judged {
  /** Left out: those of WCAG 2.2 A and AA, and what axe-core holds for good practice. */
  readonly rules?: readonly string[];
  /** Selectors of what was judged before, on another page. */
  readonly except?: readonly string[];
}

/**
 * @returns what it minds, a line each; evaluated by the debugger, which the page's own policy does not bind
 */
export async function axeIssues(page: Page, { rules, except = [] }: Judged = {}): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  return await page.evaluate(
    async ({ runOnly, exclude }) => {
      const { axe } = globalThis as unknown as {
        axe: { run(context: unknown, options: unknown): Promise<AxeResults> };
      };
      // What passes is thousands of nodes, each with its selector and markup: describing them takes most of the time.
      const { violations } = await axe.run({ exclude }, { runOnly, resultTypes: ['violations'], preload: false });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
    },
    {
      runOnly: rules === undefined ? { type: 'tag', values: TAGS } : { type: 'rule', values: [...rules] },
      exclude: except.map((one) => [one]),
    },
  );
}

/** Structure is the same in every look; colors are not. */
const OTHER_LOOKS = [
  { colorScheme: 'dark', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'active' },
] as const;
export const WIDE = { width: 1_280, height: 720 };
const NARROW = { width: 320, height: 640 };

/** A page that is {@link WIDE} and light: as it is, in dark and in forced colors, and 320 px wide. @returns what is wrong */
export async function issuesInEveryLook(page: Page, { except = [] }: Pick<Judged, 'except'> = {}): Promise<string[]> {
  const issues = await axeIssues(page, { except });
  for (const look of OTHER_LOOKS) {
    await page.emulateMedia(look);
    const found = await axeIssues(page, { rules: ['color-contrast'], except });
    issues.push(...found.map((one) => `${look.colorScheme}, forced colors ${look.forcedColors}: ${one}`));
  }
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
  await page.setViewportSize(NARROW);
  // Nothing but tables and code scrolls sideways.
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > NARROW.width) issues.push(`is wider than 320 px: ${width}: ${(await widest(page)).join('; ')}`);
  const narrow = await axeIssues(page, { rules: ['target-size', 'scrollable-region-focusable'], except });
  issues.push(...narrow.map((one) => `narrow: ${one}`));
  await page.setViewportSize(WIDE);
  return issues;
}

/** What sticks out of a narrow page and is in nothing that scrolls. */
const widest = (page: Page) =>
  page.evaluate(() => {
    const scrolls = (one: Element | null): boolean =>
      one !== null && (getComputedStyle(one).overflowX === 'auto' || scrolls(one.parentElement));
    return [...document.querySelectorAll('body *')]
      .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth && !scrolls(one))
      .map((one) => `${one.tagName}.${one.className} ${one.textContent?.slice(0, 60)}`);
  });
