import { createLogger } from '@databridge/kernel/log';
import { Registry } from 'prom-client';
import { IntakeLag } from './intake-lag.ts';
import { fanOutMetrics } from './metrics.ts';

const topic = 'root-cause.events';

async function lagsIn(registry: Registry): Promise<string[]> {
  const found = await registry.getSingleMetric('databridge_fan_out_lag_records')?.get();
  return (found?.values ?? []).map(({ labels, value }) => `${labels['partition']}: ${value}`);
}

function intake(more: Partial<ConstructorParameters<typeof IntakeLag>[0]> = {}) {
  const registry = new Registry();
  const ends = { partition: 0, low: 10, high: 30 };
  const lag = new IntakeLag({
    topics: [topic],
    assignment: () => [{ topic, partition: 0 }],
    committedOffsets: async () => [{ topic, partition: 0, offset: 25, metadata: '' }],
    watermarks: async () => new Map([[topic, [ends, { partition: 1, low: 0, high: 7 }]]]),
    metrics: fanOutMetrics(registry, ['root-cause']),
    log: createLogger('test', 'silent'),
    ...more,
  });
  return { lag, registry, ends };
}

test('the lag grows while nothing is fetched or committed', async () => {
  const { lag, registry, ends } = intake();
  await lag.measure();
  expect(await lagsIn(registry)).toEqual(['0: 5']);
  ends.high = 90;
  await lag.measure();
  expect(await lagsIn(registry)).toEqual(['0: 65']);
});

test('without a committed offset, all that Kafka still has is lag', async () => {
  const { lag, registry } = intake({ committedOffsets: async () => [] });
  await lag.measure();
  expect(await lagsIn(registry)).toEqual(['0: 20']);
});

test('a partition that another instance took over is no longer reported', async () => {
  let assignment = [{ topic, partition: 0 }];
  const { lag, registry } = intake({ assignment: () => assignment });
  await lag.measure();
  assignment = [];
  await lag.measure();
  expect(await lagsIn(registry)).toEqual([]);
});

test('an answer that does not come leaves the time of the last one as it was', async () => {
  const { lag, registry } = intake({ watermarks: () => Promise.reject(new Error('no broker answers')) });
  await lag.measure();
  const known = await registry.getSingleMetric('databridge_fan_out_lag_known_timestamp_seconds')?.get();
  expect(known?.values.map(({ value }) => value)).toEqual([0]);
});
