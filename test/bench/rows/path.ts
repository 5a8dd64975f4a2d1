/** What the delivery of one event costs without Kafka, beside a bare POST of the same bytes: by processor time alone. */
import { Child } from '@databridge/demo/child';
import { type Flow, Sink } from '@databridge/demo/customers/sink-process';
import { SERVICE_NODE_FLAGS } from '@databridge/kernel/settings/node-flags';
import type { PostOrder } from '../limit-post.ts';
import { type Measure, ratios } from '../measure.ts';
import { profileFlags, type Row } from './row.ts';

const CONNECTIONS = 64;
const row = 'path';

/** It needs no Kafka, and compares processor time of the same rounds: a busy machine moves it little. */
export const path: Row = async (context) => {
  const { scale, say } = context;
  const sink = await Sink.start();
  try {
    const run = async (name: string, script: string, nodeFlags: readonly string[]): Promise<Flow> => {
      await sink.reset();
      const child = new Child(name, new URL(script, import.meta.url), {}, { nodeFlags: [...nodeFlags] });
      await child.message((message): message is object => message !== null);
      const { deliverEvents: count, deliverWarmUp: warmUp } = scale;
      child.send({ url: sink.url(`/accept/${name}`), count, connections: CONNECTIONS } satisfies PostOrder);
      const flow = await sink.flow(`/accept/${name}`, child.pid, { requests: count, warmUp });
      await child.stop();
      return flow;
    };
    const ours: Flow[] = [];
    const limit: Flow[] = [];
    for (let round = 1; round <= scale.rounds; round++) {
      ours.push(await run('ours', '../delivery-path.ts', [...SERVICE_NODE_FLAGS, ...profileFlags(context, row)]));
      limit.push(await run('limit', '../limit-post.ts', []));
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
