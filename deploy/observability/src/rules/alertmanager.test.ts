/** Tests with Alertmanager's own tool which receiver gets which alert. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { alertmanagerFile } from './alertmanager-file.ts';
import { durationsDividedBy } from './rule.ts';
import { ALERTS } from './rules-file.ts';

const FILE = fileURLToPath(new URL('../../alertmanager.yaml', import.meta.url));
/** Debian's package `prometheus-alertmanager`; .ci/run installs it. */
const testWithAmtool = spawnSync('amtool', ['--version']).error === undefined ? test : test.skip;

const RECEIVER_OF = {
  'critical ours': 'page',
  'warning ours': 'ticket',
  'info ours': 'nobody',
  'warning customer': 'support',
  'info customer': 'nobody',
} as const;

testWithAmtool.each(Object.entries(RECEIVER_OF))('%s goes to %s', (kind, receiver) => {
  const [severity, fault] = kind.split(' ');
  const labels = ['alertname=DatabridgeAny', `severity=${severity}`, `fault=${fault}`, 'namespace=n', 'customer=acme'];
  const { stdout } = spawnSync('amtool', ['config', 'routes', 'test', `--config.file=${FILE}`, ...labels], {
    encoding: 'utf8',
  });
  expect(stdout.trim()).toBe(receiver);
});

testWithAmtool('the example is a valid configuration', () => {
  const { status, stdout, stderr } = spawnSync('amtool', ['check-config', FILE], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toContain('SUCCESS');
  expect(status).toBe(0);
});

test('every kind of alert has its receiver, and inhibition names alerts that exist', () => {
  const kinds = new Set(ALERTS.map(({ severity, fault }) => `${severity} ${fault}`));
  expect([...kinds].filter((kind) => !(kind in RECEIVER_OF))).toEqual([]);
  const names = new Set(ALERTS.map(({ name }) => `Databridge${name}`));
  const named = [...alertmanagerFile().matchAll(/Databridge\w+/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !names.has(name))).toEqual([]);
});

const rules = (
  parse(alertmanagerFile()) as { inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[] }
).inhibit_rules;
const namesIn = (matchers: readonly string[]) =>
  [...matchers.join().matchAll(/Databridge(\w+)/g)].map(([, name]) => name as string);
const minutesOf = (text = '0m') => durationsDividedBy(1).seconds(text) / 60;
const alertOf = (name: string) => ALERTS.find((alert) => alert.name === name);

test('no alert inhibits itself', () => {
  for (const { source_matchers: sources, target_matchers: targets } of rules) {
    expect(namesIn(sources).filter((name) => namesIn(targets).includes(name))).toEqual([]);
  }
});

test('a cause lasts longer than its consequences: else they would be announced when it has just ended', () => {
  /** Alerts on the short window of a burn rate end when that window does. */
  const staysFor = (name: string) => minutesOf(alertOf(name)?.keepFiringFor) + (name.endsWith('Burn') ? 5 : 0);
  for (const { source_matchers: sources, target_matchers: targets } of rules) {
    if (namesIn(sources).some((name) => alertOf(name)?.fault === 'customer')) continue;
    const consequences = namesIn(targets).filter((name) => !name.endsWith('BurnSlow'));
    const longest = Math.max(...consequences.map(staysFor), 0);
    for (const cause of namesIn(sources)) expect([cause, staysFor(cause) >= longest + 3]).toEqual([cause, true]);
  }
});
