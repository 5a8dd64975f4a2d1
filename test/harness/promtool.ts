import { spawnSync } from 'node:child_process';

/**
 * What `promtool check metrics` (Debian's package `prometheus`) objects to in the text of a scrape.
 * @returns undefined: promtool is not installed
 */
export function promtoolObjections(metrics: string): string | undefined {
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' });
  if (checked.error !== undefined) return undefined;
  return `${checked.stdout}${checked.stderr}`.trim();
}
