/** What tracing costs a delivery when one event of a hundred is recorded: its share of the processor time, by CPU profiles. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Sink } from '@databridge/demo/customers/sink-process';
import { SERVICE_NODE_FLAGS } from '@databridge/kernel/settings/node-flags';
import type { Measure } from '../measure.ts';
import { pathFlow } from '../path-flow.ts';
import { type CpuProfile, shareOf } from '../profile.ts';
import { profileFlags, type Row } from './row.ts';

const row = 'tracing';
/** In the first half of a run, code is compiled, and the SDK is loaded. */
const WARM_FROM = 0.5;
const isTracing = (url: string) => /@opentelemetry|\/kernel\/src\/tracing\/|attempt-traces/.test(url);

/** Two runs, with and without it, differ by more than it costs: their difference would tell of the machine. */
export const tracing: Row = async (context) => {
  const { scale, say } = context;
  const sink = await Sink.start();
  let receivedBytes = 0;
  /** Takes spans as a collector does. */
  const collector = createServer(async (request, response) => {
    receivedBytes += (await buffer(request)).length;
    response.end();
  });
  const profileDir = context.profileDir ?? (await mkdtemp(join(tmpdir(), 'databridge-tracing-')));
  try {
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    };
    const percents: number[] = [];
    for (let round = 1; round <= scale.rounds; round++) {
      const nodeFlags = [...SERVICE_NODE_FLAGS, ...profileFlags({ ...context, profileDir }, `${row}-${round}`)];
      const flow = await pathFlow(sink, scale, { name: 'traced', script: 'delivery-path.ts', nodeFlags, env });
      const file = join(profileDir, `${row}-${round}.cpuprofile`);
      const percent = 100 * shareOf(JSON.parse(await readFile(file, 'utf8')) as CpuProfile, isTracing, WARM_FROM);
      percents.push(percent);
      say(`round ${round}: ${percent.toFixed(2)} % of ${flow.cpuMicrosEach.toFixed(0)} µs`);
    }
    if (receivedBytes === 0) throw new Error('no span was exported');
    const name = 'tracing of 1 % of the events, of the processor time of a delivery';
    return [{ row, name, unit: '%', values: percents, target: { atMost: 3 } }] satisfies Measure[];
  } finally {
    collector.close();
    await sink.stop();
    if (context.profileDir === undefined) await rm(profileDir, { recursive: true });
  }
};
