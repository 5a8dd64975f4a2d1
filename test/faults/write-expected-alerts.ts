/** Puts the table of fault runs and their alerts into docs/operations.md: part of `npm run observability`. */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expectedAlertsTable } from './expected-alerts.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/operations.md', import.meta.url));
const BETWEEN = /(<!-- alerts of fault runs: begin -->\n)[\s\S]*?(<!-- alerts of fault runs: end -->)/;

/** @param page docs/operations.md */
export function withExpectedAlerts(page: string): string {
  return page.replace(BETWEEN, (_all, begin: string, end: string) => `${begin}\n${expectedAlertsTable()}\n\n${end}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(DOCUMENT, withExpectedAlerts(readFileSync(DOCUMENT, 'utf8')));
}
