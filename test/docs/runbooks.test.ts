/** Every alert has a runbook, whose commands, queries and metrics exist. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCommand } from '@databridge/cli/reference/check-command';
import { LOG_EVENTS } from '@databridge/kernel/log-events';
import { durationsDividedBy } from '@databridge/observability/rules/rule';
import { ALERTS, RECORDINGS } from '@databridge/observability/rules/rules-file';
import { existingMetrics } from './existing-metrics.ts';

const FOLDER = new URL('../../docs/operations/runbooks/', import.meta.url);
const SECTIONS = ['Meaning', 'Impact', 'Ours or theirs', 'Cause and cure', 'Whom to wake'];

const names = readdirSync(FOLDER).sort();
const pages = names.map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')] as const);
const queriesIn = (page: string) =>
  [...page.matchAll(/```promql\n([\s\S]*?)\n```/g)].map(([, query]) => query as string);
const commandsIn = (page: string) => [...page.matchAll(/`(databridge [^`]*)`/g)].map(([, line]) => line as string);

/** `rate` and its kind, aggregations and labels are left out by the prefix that all names of metrics here have. */
const metricsIn = (query: string) =>
  [...query.matchAll(/\b(?:databridge|nodejs|process)[_:][\w:]+/g)].map(([name]) => name);

/** Some codes of log lines begin as metrics do. */
const known = new Set([
  ...[...existingMetrics(), ...Object.keys(LOG_EVENTS)],
  ...RECORDINGS.map(({ record }) => record),
]);
const unknownIn = (text: string) =>
  metricsIn(text).filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));

test('each alert has a runbook, and each runbook an alert', () => {
  expect(names).toEqual(ALERTS.map(({ name }) => `Databridge${name}.md`).sort());
});

test.each(pages)('%s has its sections, a query, and commands that the program takes', async (_name, page) => {
  expect([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(SECTIONS);
  expect(queriesIn(page)).toHaveLength(1);
  for (const line of commandsIn(page)) await checkCommand(line);
  expect(unknownIn(page)).toEqual([]);
  const events = [...page.matchAll(/event (?:`\w+`(?:, | or )?)+/g)].flatMap(
    ([words]) => words.match(/\w+_\w+/g) ?? [],
  );
  expect(events.filter((code) => !Object.hasOwn(LOG_EVENTS, code))).toEqual([]);
});

test('runbooks name log lines by their codes', () => {
  expect(pages.filter(([, page]) => /log lines? .*event `/.test(page)).length).toBeGreaterThan(10);
  expect(pages.filter(([, page]) => /\blog says\b/.test(page)).map(([name]) => name)).toEqual([]);
});

/** `a or b` shows nothing of b where a has a series with the same labels, even if its value is 0. */
test.each(pages)('%s: no part of its query hides another', (_name, page) => {
  const parts = queriesIn(page).flatMap((query) => query.split(' or '));
  const labelsOf = (part: string) => /^[^(]*by \(([^)]*)\)/.exec(part)?.[1];
  const hidden = parts.filter((part, at) => {
    const before = parts.slice(0, at).filter((one) => labelsOf(one) === labelsOf(part));
    return before.some((one) => !/ [<>=]+ \d+$/.test(one));
  });
  expect(hidden).toEqual([]);
});

test('most runbooks cure by a command', () => {
  const without = pages.filter(([, page]) => commandsIn(page).length === 0).map(([name]) => name);
  expect(without).toEqual([]);
});

test('the metrics of all rules exist', () => {
  const durations = durationsDividedBy(1);
  const all = [...ALERTS, ...RECORDINGS].map(({ expr }) => expr(durations)).join('\n');
  expect(unknownIn(all)).toEqual([]);
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

/** Debian's package `prometheus`; .ci/run installs it. */
(hasPromtool ? test : test.skip)('every query is PromQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'databridge-queries-'));
  const rules = pages.flatMap(([name, page]) =>
    queriesIn(page).map((expr) => ({ record: `query:${name.replace(/\W/g, '_')}`, expr })),
  );
  // JSON is YAML.
  writeFileSync(join(folder, 'queries.yaml'), JSON.stringify({ groups: [{ name: 'queries', rules }] }));
  const { stdout, stderr } = spawnSync('promtool', ['check', 'rules', join(folder, 'queries.yaml')], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  expect(`${stdout}${stderr}`).toContain(`SUCCESS: ${rules.length} rules found`);
});
