/** How fast events get from the intake to the customers' topics. */

import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '@databridge/demo/child';
import type { Flow } from '@databridge/demo/customers/sink-process';
import { sumOf } from '@databridge/demo/live/observe';
import { cpuMs, peakRssMiB } from '@databridge/demo/process-usage';
import { deliveryTopic, FAN_OUT_GROUP } from '@databridge/schemas/records/topics';
import type { CopyOrder, CopyReport } from '../limit-copy.ts';
import { intakeHeaders } from '../loader.ts';
import { type Measure, ratios } from '../measure.ts';
import { INTAKE, Stand } from '../stand.ts';
import { profileFlags, type Row, type RowContext } from './row.ts';

const LOOK_EVERY_MS = 100;
const row = 'fan-out';

export const fanOut: Row = (context) => fannedOut(context, row, context.scale.fanOutCustomers, 0.8);

/** In full runs only: creating the topics takes minutes. */
export const fanOutMany: Row = (context) => fannedOut(context, 'fan-out-many', context.scale.fanOutManyCustomers, 0.8);

const SUBSCRIBED_AT_ONCE = 500;

const fannedOut = (context: RowContext, row: string, customerCount: number, atLeast: number): Promise<Measure[]> =>
  Stand.with(async (stand) => {
    const { scale, say } = context;
    const customers = Array.from({ length: customerCount }, (_, n) => `c${n}`);
    for (let from = 0; from < customerCount; from += SUBSCRIBED_AT_ONCE) {
      const some = customers.slice(from, from + SUBSCRIBED_AT_ONCE);
      await stand.subscribe(some.map((customer) => ({ customer, path: '/accept/any' })));
    }
    say('subscribed');
    await stand.load({
      topic: INTAKE,
      count: scale.fanOutEvents,
      values: stand.samples(customers),
      headers: intakeHeaders(),
    });

    const ours: Flow[] = [];
    const limit: Flow[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      if (round > 0) await rewindIntake(stand);
      ours.push(await runOurs(stand, context));
      limit.push(await runLimit(stand, scale.fanOutEvents, customers.map(deliveryTopic), round));
      say(
        `round ${round + 1}: ours ${Math.round(ours[round]?.perSecond ?? 0)}/s, bare copy ${Math.round(limit[round]?.perSecond ?? 0)}/s`,
      );
    }
    const rate = (flows: readonly Flow[]) => flows.map(({ perSecond }) => perSecond);
    const cpu = (flows: readonly Flow[]) => flows.map(({ cpuMicrosEach }) => cpuMicrosEach);
    return [
      { row, name: `Databridge Events, ${customers.length} customers`, unit: 'events/s', values: rate(ours) },
      { row, name: 'bare copy', unit: 'events/s', values: rate(limit) },
      { row, name: '÷ bare copy', unit: '×', values: ratios(rate(ours), rate(limit)), target: { atLeast } },
      { row, name: 'Databridge Events, processor', unit: 'µs each', values: cpu(ours) },
      { row, name: 'bare copy, processor', unit: 'µs each', values: cpu(limit) },
      { row, name: 'Databridge Events, peak memory', unit: 'MiB', values: ours.map((flow) => flow.peakRssMiB) },
    ];
  });

const runOurs = (stand: Stand, context: RowContext): Promise<Flow> =>
  runFanOut(stand, context.scale.fanOutEvents, profileFlags(context, row));

/** A fan-out from its start until it has copied so many. */
export async function runFanOut(stand: Stand, count: number, nodeFlags: readonly string[] = []): Promise<Flow> {
  const service = await stand.service('fan-out', {}, { nodeFlags }).ready();
  const copied = async () => sumOf(await service.metrics(), 'databridge_fan_out_copies_total');
  const flow = await watch(service.pid, count, copied);
  await service.stop();
  return flow;
}

async function runLimit(stand: Stand, count: number, to: string[], round: number): Promise<Flow> {
  const child = new Child('bare copy', new URL('../limit-copy.ts', import.meta.url), {});
  await child.message((message): message is object => message !== null);
  child.send({ brokers: [...stand.kafka.brokers], groupId: `bare-${round}`, from: INTAKE, to } satisfies CopyOrder);
  const copied = async () => {
    const report = child.message((message): message is CopyReport => message !== null);
    child.send('how far?');
    return (await report).copied;
  };
  const flow = await watch(child.pid, count, copied);
  await child.kill();
  return flow;
}

/** From the first look that sees something copied to the one that sees all of it. */
async function watch(pid: number, count: number, copied: () => Promise<number>): Promise<Flow> {
  let begun: { copied: number; atMs: number; cpuMs: number } | undefined;
  for (;;) {
    const now = { copied: await copied(), atMs: performance.now(), cpuMs: await cpuMs(pid) };
    if (now.copied > 0) begun ??= now;
    if (begun && now.copied >= count) {
      const events = now.copied - begun.copied;
      return {
        requests: now.copied,
        perSecond: events / ((now.atMs - begun.atMs) / 1_000),
        cpuMicrosEach: ((now.cpuMs - begun.cpuMs) * 1_000) / events,
        peakRssMiB: await peakRssMiB(pid),
      };
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function rewindIntake({ admin }: Stand): Promise<void> {
  const partitions = await admin.watermarks(INTAKE);
  const offsets = partitions.map(({ partition, low }) => ({ topic: INTAKE, partition, offset: low, metadata: '' }));
  await admin.setOffsets(FAN_OUT_GROUP, offsets);
}
