/** Who hears of which alert, asked of Alertmanager's own tool. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { alertmanagerFile } from './alertmanager-file.ts';
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

test('an alert on a fault of ours never inhibits itself', () => {
  const { inhibit_rules: rules } = parse(alertmanagerFile()) as {
    inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
  };
  const namesIn = (matchers: readonly string[]) =>
    [...matchers.join().matchAll(/Databridge(\w+)/g)].map(([, name]) => name);
  for (const { source_matchers: sources, target_matchers: targets } of rules) {
    expect(namesIn(sources).filter((name) => namesIn(targets).includes(name))).toEqual([]);
  }
});
