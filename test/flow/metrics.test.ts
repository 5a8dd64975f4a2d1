/** Metrics that can be alerted on: all series exist at 0 from the start, and those of a customer end with it. */
import { readFileSync } from 'node:fs';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { promtoolObjections } from '../harness/promtool.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

/** Reasons for which only probes are sent. */
const HOLDS = ['deauthorized', 'refusals', 'blocked'];
const STALLS = [
  ...[...HOLDS, 'rate', 'in_flight', 'retry_after', 'breaker'],
  ...['lease', 'uncommitted', 'share', 'registry', 'kafka'],
];
const FAILURES = [
  ...['dns', 'tls', 'connect', 'headers', 'body', 'egress', 'proxy', 'token'],
  ...['4xx', '429', '5xx', 'other'],
];

let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([Tokens.generate('ann', 'operator')], {
    DATABRIDGE_KEYS: stage.keys,
    EXPORT_INTERVAL: '1s',
  });
});
afterAll(() => plane?.service.stop());

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function samplesOf(text: string): Sample[] {
  return [...text.matchAll(/^(databridge_\w+?)(?:\{(.*)\})? ([^ ]+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, of]) => [label, of])),
    value: Number(value),
  }));
}

const valuesOf = (text: string, metric: string, label: string, of: Record<string, string> = {}) =>
  samplesOf(text)
    .filter(({ name, labels }) => name === metric && Object.entries(of).every(([key, value]) => labels[key] === value))
    .map(({ labels, value }) => `${labels[label]} ${value}`)
    .sort();

const scrapes = () => Promise.all([stage.fanOut.metrics(), stage.delivery.metrics(), plane.service.metrics()]);

test('from the start, each service has every counter at 0 with its known labels', async () => {
  const [fanOut, delivery, controlPlane] = await scrapes();
  expect(valuesOf(fanOut, 'databridge_fan_out_events_total', 'outcome')).toEqual([
    'matched 0',
    'quarantined 0',
    'unmatched 0',
  ]);
  expect(valuesOf(fanOut, 'databridge_fan_out_quarantined_total', 'reason')).toContain('malformed-frame 0');
  expect(valuesOf(fanOut, 'databridge_fan_out_copies_total', 'event_type')).toEqual(['root-cause 0']);
  expect(valuesOf(fanOut, 'databridge_fan_out_own_faults_total', 'doing')).toEqual(['commit 0', 'write 0']);
  expect(valuesOf(delivery, 'databridge_delivery_own_faults_total', 'doing')).toEqual(['commit 0', 'produce 0']);
  const counts = valuesOf(delivery, 'databridge_delivery_attempt_duration_seconds_count', 'outcome');
  expect(counts).toContain('refused 0');
  for (const [text, component] of [
    [fanOut, 'fan-out'],
    [delivery, 'delivery'],
    [controlPlane, 'control-plane'],
  ] as const) {
    expect(valuesOf(text, 'databridge_kafka_offset_jumps_total', 'component')).toEqual([`${component} 0`]);
    expect(promtoolObjections(text) ?? '').toBe('');
  }
});

test('the lag of the intake is what Kafka says, partition by partition', async () => {
  const lag = async () => valuesOf(await stage.fanOut.metrics(), 'databridge_fan_out_lag_records', 'partition');
  const partitions = await eventually(lag, (found) => found.length > 0);
  expect(partitions).toEqual([0, 1, 2, 3, 4, 5].map((partition) => `${partition} 0`));
});

test('a customer has all its series before its first event, a hold is shown, and a deletion ends them', async () => {
  const customer = freshName('series');
  const receiver = await Receiver.start(() => ({ status: 401 }));
  await stage.subscribe(customer, receiver.url, { filter: 'event.statusCode == 200' });
  const of = { customer };
  const started = await eventually(
    () => stage.delivery.metrics(),
    (text) => valuesOf(text, 'databridge_delivery_attempts_total', 'outcome', of).length > 0,
  );
  expect(valuesOf(started, 'databridge_delivery_attempts_total', 'outcome', of)).toEqual(
    ['blocked', 'deauthorized', 'delivered', 'gone', 'internal', 'refused', 'retry'].map((outcome) => `${outcome} 0`),
  );
  expect(valuesOf(started, 'databridge_delivery_dead_letters_total', 'reason', of)).toEqual(
    ['exhausted', 'internal', 'refused'].map((reason) => `${reason} 0`),
  );
  expect(valuesOf(started, 'databridge_delivery_disabled_total', 'reason', of)).toHaveLength(5);
  expect(valuesOf(started, 'databridge_delivery_offsets_lost_total', 'customer', of)).toEqual([`${customer} 0`]);
  const filtered = valuesOf(await stage.fanOut.metrics(), 'databridge_fan_out_filter_failures_total', 'customer', of);
  expect(filtered).toEqual([`${customer} 0`]);

  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  const held = (text: string) => valuesOf(text, 'databridge_delivery_held', 'because', of);
  const text = await eventually(
    () => stage.delivery.metrics(),
    (now) => held(now).includes('deauthorized 1'),
  );
  expect(held(text)).toEqual(['blocked 0', 'deauthorized 1', 'refusals 0']);
  expect(valuesOf(text, 'databridge_delivery_breaker_state', 'customer', of)).toEqual([`${customer} 0`]);

  await plane.call('POST', `/subscriptions/${customer}/pause`);
  const etag = (await plane.call('GET', `/subscriptions/${customer}`)).headers.get('etag') ?? '';
  const path = `/subscriptions/${customer}?waiting=discard`;
  expect(await plane.call('DELETE', path, { headers: { 'if-match': etag } })).toMatchObject({ status: 200 });
  await eventually(
    async () => (await scrapes()).join('\n'),
    (all) => !all.includes(customer),
  );
});

test('docs/metrics.md names the metrics and the labels of a real scrape', async () => {
  const customer = freshName('listed');
  const receiver = await Receiver.start(() => ({ status: 503 }));
  await stage.subscribe(customer, receiver.url, { filter: 'event.statusCode == 200', ratePerSecond: 100 });
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  const isThere = (text: string) =>
    text.includes(`databridge_delivery_disable_timestamp_seconds{component="delivery",customer="${customer}"`);
  const texts = await eventually(
    scrapes,
    ([fanOut, delivery]) => fanOut.includes('_lag_records{') && isThere(delivery),
  );
  const all = texts.join('\n');
  const names = new Set([...all.matchAll(/^# HELP (databridge_\w+)/gm)].map(([, name]) => name as string));
  const labels = new Map<string, string>();
  for (const { name, labels: given } of samplesOf(all)) {
    const metric = name.replace(/_(bucket|sum|count)$/, '');
    const own = Object.keys(given).filter((label) => label !== 'component' && label !== 'le');
    labels.set(metric, own.sort().join());
  }
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8').split('## Fan-out')[1] ?? '';
  const documented = new Map(
    [...page.matchAll(/^\| `(databridge_\w+)` *\|([^|]*)\|/gm)].map(([, name = '', list = '']) => [
      name,
      [...list.matchAll(/`(\w+)`/g)]
        .map(([, label]) => label)
        .sort()
        .join(),
    ]),
  );
  expect([...documented.keys()].sort()).toEqual([...names].sort());
  // Of a metric that is absent while there is nothing to tell, this scrape may have no series.
  const seen = [...documented].filter(([name]) => labels.has(name));
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(labels));
});

/** The customer of the test before has a rate, and its endpoint fails. */
test.each([
  ['delivery_stalled_seconds_total', 'by', STALLS],
  ['delivery_failures_total', 'class', FAILURES],
  ['delivery_troubled_customers', 'because', [...HOLDS, 'breaker', 'failing', 'retry_after']],
  ['delivery_held', 'because', HOLDS],
  ['delivery_disabled_total', 'reason', [...HOLDS, 'exhausted', 'gone']],
  ['delivery_budget_used_ratio', 'budget', ['attempts', 'time']],
  ['delivery_rate_limit', 'kind', ['effective', 'stated']],
  ['delivery_first_attempt_delay_seconds_count', 'path', ['held', 'straight']],
  ['customers', 'state', ['active', 'disabled', 'paused']],
])('databridge_%s has a series for each "%s"', async (name, label, expected) => {
  const samples = samplesOf((await scrapes()).join('\n')).filter((one) => one.name === `databridge_${name}`);
  expect([...new Set(samples.map(({ labels }) => labels[label]))].sort()).toEqual([...expected].sort());
});

test('of a customer that no worker runs, the control plane knows the oldest event', async () => {
  const customer = freshName('unattended');
  const receiver = await Receiver.start();
  await stage.delivery.stop();
  await stage.subscribe(customer, receiver.url);
  const producedAt = Date.now() / 1_000;
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  const of = (text: string, name: string) =>
    samplesOf(text).find((one) => one.name === `databridge_unattended_${name}` && one.labels['customer'] === customer);
  const text = await eventually(
    () => plane.service.metrics(),
    (now) => of(now, 'oldest_timestamp_seconds') !== undefined,
  );
  expect(of(text, 'waiting_records')?.value).toBe(1);
  expect(Math.abs((of(text, 'oldest_timestamp_seconds')?.value ?? 0) - producedAt)).toBeLessThan(10);
  await stage.restartDelivery();
  await receiver.waitFor(({ accepted }) => accepted === 1);
  await eventually(
    () => plane.service.metrics(),
    (now) => of(now, 'oldest_timestamp_seconds') === undefined,
  );
});
