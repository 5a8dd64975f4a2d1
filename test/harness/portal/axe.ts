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
