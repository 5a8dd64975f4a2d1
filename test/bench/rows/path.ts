/** What the delivery of one event costs without Kafka, beside a bare POST of the same bytes: by processor time alone. */
import { type Flow, Sink } from '@databridge/demo/customers/sink-process';
import { SERVICE_NODE_FLAGS } from '@databridge/kernel/settings/node-flags';
import { type Measure, ratios } from '../measure.ts';
import { pathFlow } from '../path-flow.ts';
import { profileFlags, type Row } from './row.ts';

const row = 'path';

/** It needs no Kafka, and compares processor time of the same rounds: a busy machine moves it little. */
export const path: Row = async (context) => {
  const { scale, say } = context;
  const sink = await Sink.start();
  try {
    const nodeFlags = [...SERVICE_NODE_FLAGS, ...profileFlags(context, row)];
    const ours: Flow[] = [];
    const limit: Flow[] = [];
    for (let round = 1; round <= scale.rounds; round++) {
      ours.push(await pathFlow(sink, scale, { name: 'ours', script: 'delivery-path.ts', nodeFlags }));
      limit.push(await pathFlow(sink, scale, { name: 'limit', script: 'limit-post.ts', nodeFlags: [] }));
      say(
        `round ${round}: ours ${ours.at(-1)?.cpuMicrosEach.toFixed(0)} µs, undici ${limit.at(-1)?.cpuMicrosEach.toFixed(0)} µs`,
      );
    }
    const cpu = (flows: readonly Flow[]) => flows.map(({ cpuMicrosEach }) => cpuMicrosEach);
    return [
      { row, name: 'Databridge Events without Kafka, processor', unit: 'µs each', values: cpu(ours) },
      { row, name: 'bare undici, processor', unit: 'µs each', values: cpu(limit) },
      {
        row,
        name: 'processor ÷ bare undici',
        unit: '×',
        values: ratios(cpu(ours), cpu(limit)),
        target: { atMost: 2.4 },
      },
    ] satisfies Measure[];
  } finally {
    await sink.stop();
  }
};
