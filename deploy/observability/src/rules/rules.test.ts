/** Tests with promtool that each alert fires, survives a handover, does not fire because of one, and resolves. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Alert, durationsDividedBy, type Recording } from './rule.ts';
import { type CaseSeries, RULE_CASES, type RuleCase } from './rule-cases.ts';
import { ALERTS, rulesFile } from './rules-file.ts';

const STEP_SECONDS = 30;
const WELL_MINUTES = 60;
/** During a handover, the series are absent for two scrapes. */
const HANDOVER_SAMPLES = 2;
const samplesIn = (minutes: number) => (minutes * 60) / STEP_SECONDS;

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
/** Debian's package `prometheus`; .ci/run installs it. */
const testWithPromtool = hasPromtool ? test : test.skip;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'databridge-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('every alert has a case, and every case an alert', () => {
  expect(Object.keys(RULE_CASES).sort()).toEqual(ALERTS.map(({ name }) => name).sort());
});

testWithPromtool.each(ALERTS.map(({ name }) => name))(
  '%s fires, does not flap over a handover, and resolves',
  (name) => {
    const found = RULE_CASES[name] as RuleCase;
    const { badMinutes = 30, firesWithinMinutes = 10, resolvesWithinMinutes = 30 } = found;
    const badFrom = samplesIn(WELL_MINUTES);
    const wellFrom = badFrom + samplesIn(badMinutes);
    const end = wellFrom + samplesIn(resolvesWithinMinutes) + 2;
    // In the middle of the good time, and near the end of the bad time, when it fires.
    const handovers = [samplesIn(WELL_MINUTES / 2), wellFrom - 4];
    const firing = `count(ALERTS{alertname="Databridge${name}",alertstate="firing"}) or vector(0)`;
    const expects = (at: number, isFiring: boolean) => ({
      expr: `(${firing}) > 0`,
      eval_time: `${at * STEP_SECONDS}s`,
      exp_samples: isFiring ? [{ labels: '{}', value: 1 }] : [],
    });
    const checks = [
      expects(handovers[0] as number, false),
      expects((handovers[0] as number) + HANDOVER_SAMPLES, false),
      expects(badFrom - 1, false),
      expects(badFrom + samplesIn(firesWithinMinutes), true),
      expects((handovers[1] as number) + HANDOVER_SAMPLES - 1, true),
      expects((handovers[1] as number) + HANDOVER_SAMPLES, true),
      expects(end - 1, false),
    ];
    const file = {
      rule_files: ['rules.yaml'],
      evaluation_interval: `${STEP_SECONDS}s`,
      tests: [
        {
          interval: `${STEP_SECONDS}s`,
          input_series: found.series.map((one) => ({
            series: one.series,
            values: samplesOf(one, { badFrom, wellFrom, end, handovers }),
          })),
          promql_expr_test: checks,
        },
      ],
    };
    const { expr } = ALERTS.find((alert) => alert.name === name) as Alert;
    const text = expr(durationsDividedBy(1));
    const isWanted = (rule: Alert | Recording) => ('record' in rule ? text.includes(rule.record) : rule.name === name);
    writeFileSync(join(folder, 'rules.yaml'), rulesFile({ windows: 1, stays: 1 }, isWanted));
    expectSuccess(file);
  },
);

testWithPromtool('dead letters of a customer that refuses all events are reported once it accepts some again', () => {
  const isFiring = 'count(ALERTS{alertname="DatabridgeDeadLettersRise",alertstate="firing"}) or vector(0)';
  const labels = 'namespace="n",customer="acme"';
  const isWanted = (rule: Alert | Recording) => 'name' in rule && rule.name === 'DeadLettersRise';
  writeFileSync(join(folder, 'rules.yaml'), rulesFile({ windows: 1, stays: 1 }, isWanted));
  const at = (minute: number, value: number) => ({
    ...{ expr: isFiring, eval_time: `${minute}m`, exp_samples: [{ labels: '{}', value }] },
  });
  expectSuccess({
    rule_files: ['rules.yaml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [
          { series: `databridge_delivery_dead_letters_total{${labels},reason="refused"}`, values: '0x60 20x60' },
          { series: `databridge_delivery_held{${labels},because="refusals"}`, values: '0x60 1x20 0x40' },
        ],
        promql_expr_test: [at(60, 0), at(75, 0), at(90, 1)],
      },
    ],
  });
});

/** Samples every hour for 29 days; the fault is in the middle. */
const HOURS = 29 * 24;
const constant = (value: number) => `${value}x${HOURS}`;
const counting = (perHour: number) => `0+${perHour}x${HOURS}`;
const once = `0x${HOURS / 2} 1x${HOURS / 2}`;

testWithPromtool.each([
  ['nothing is lost', { jumps: constant(0), lost: constant(0) }, 0],
  ['an offset was out of range', { jumps: once, lost: constant(0) }, 1],
  ['a group lost its offsets', { jumps: constant(0), lost: once }, 1],
  ['retention deleted records', { jumps: constant(0), lost: constant(0), expired: `_x100 7x10 _x${HOURS}` }, 7],
  ['nothing runs: that is not "none lost"', {}, undefined],
] as const)('loss over 28 days: %s', (_what, { jumps, lost, expired }: Record<string, string>, value) => {
  const input = [
    ...(jumps ? [{ series: 'databridge_kafka_offset_jumps_total{namespace="n",pod="a"}', values: jumps }] : []),
    ...(lost ? [{ series: 'databridge_delivery_all_offsets_lost_total{namespace="n",pod="a"}', values: lost }] : []),
    ...(jumps ? [{ series: 'databridge_export_timestamp_seconds{namespace="n"}', values: counting(3_600) }] : []),
    ...(expired
      ? [{ series: 'databridge_retention_expired_records{namespace="n",customer="acme"}', values: expired }]
      : []),
  ];
  const expr = 'round(databridge:loss:suspected_28d)';
  const samples = value === undefined ? [] : [{ labels: '{namespace="n"}', value }];
  expectObjectives(input, [{ expr, eval_time: `${28 * 24}h`, exp_samples: samples }]);
});

testWithPromtool('objectives over 28 days are shares of what happened; without traffic they have no value', () => {
  const name = 'databridge_delivery_first_attempt_delay_seconds';
  const labels = 'namespace="n",path="straight"';
  const input = [
    { series: `${name}_bucket{${labels},le="5"}`, values: counting(999) },
    { series: `${name}_count{${labels}}`, values: counting(1_000) },
    { series: 'databridge_fan_out_routing_seconds_count{namespace="n"}', values: constant(0) },
    { series: 'databridge_fan_out_routing_seconds_bucket{namespace="n",le="5"}', values: constant(0) },
  ];
  const at = `${28 * 24}h`;
  const met = [{ labels: '{namespace="n"}', value: 0.999 }];
  expectObjectives(input, [
    { expr: 'round(databridge:freshness:good_ratio_28d, 0.0001)', eval_time: at, exp_samples: met },
    { expr: 'databridge:routing:good_ratio_28d', eval_time: at, exp_samples: [] },
    { expr: 'databridge:api:good_ratio_28d', eval_time: at, exp_samples: [] },
  ]);
});

function expectObjectives(input: readonly object[], checks: readonly object[]): void {
  const isWanted = (rule: Alert | Recording) => 'record' in rule && rule.record.endsWith('_28d');
  writeFileSync(join(folder, 'rules.yaml'), rulesFile({ windows: 1, stays: 1 }, isWanted));
  const tests = [{ interval: '1h', input_series: input, promql_expr_test: checks }];
  expectSuccess({ rule_files: ['rules.yaml'], evaluation_interval: '1h', tests });
}

function expectSuccess(file: object): void {
  writeFileSync(join(folder, 'test.yaml'), stringify(file, { lineWidth: 0 }));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'test.yaml'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`).toContain('SUCCESS');
  expect(status).toBe(0);
}

interface Times {
  readonly badFrom: number;
  readonly wellFrom: number;
  readonly end: number;
  readonly handovers: readonly number[];
}

function samplesOf({ well, bad }: CaseSeries, { badFrom, wellFrom, end, handovers }: Times): string {
  const samples: string[] = [];
  let count = 0;
  let wasThere = false;
  for (let at = 0; at < end; at++) {
    const value = at >= badFrom && at < wellFrom ? bad : well;
    const isHandover = handovers.some((from) => at >= from && at < from + HANDOVER_SAMPLES);
    if (value !== '_' && typeof value === 'object' && 'perSample' in value) count += value.perSample;
    const isThere = value !== '_' && !isHandover;
    if (!isThere) samples.push(wasThere ? 'stale' : '_');
    else if (typeof value === 'number') samples.push(String(value));
    else samples.push(String('perSample' in value ? count : at * STEP_SECONDS + value.fromNow));
    wasThere = isThere;
  }
  return samples.join(' ');
}
