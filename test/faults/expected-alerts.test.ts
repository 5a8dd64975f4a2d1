import { readFileSync } from 'node:fs';
import { EXPECTED_ALERTS, type ExpectedAlerts, expectedAlertsTable, faultOf } from './expected-alerts.ts';
import { withExpectedAlerts } from './write-expected-alerts.ts';

const all = Object.entries<ExpectedAlerts>(EXPECTED_ALERTS);

test.each(all)('%s: every alert is on whose fault it is, and its runbook has the command', (_name, expected) => {
  const { fault, sent, maybe = [], cure } = expected;
  expect([...sent, ...maybe].map((name) => [name, faultOf(name)])).toEqual(
    [...sent, ...maybe].map((name) => [name, fault]),
  );
  const runbook = new URL(`../../docs/operations/runbooks/Databridge${cure.alert}.md`, import.meta.url);
  expect(readFileSync(runbook, 'utf8')).toContain(`\`${cure.command}\``);
});

test('docs/operations.md shows them; "npm run observability" writes it', () => {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  expect(page).toContain(expectedAlertsTable());
  expect(page).toBe(withExpectedAlerts(page));
});
