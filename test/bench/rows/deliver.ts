/** How fast one worker drains one customer's backlog into an endpoint that answers at once. */
import { Child } from '@databridge/demo/child';
import type { Flow } from '@databridge/demo/customers/sink-process';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import type { PostOrder } from '../limit-post.ts';
import { laneHeaders } from '../loader.ts';
import { type Measure, ratios } from '../measure.ts';
import { PEER, preparePeer } from '../peer/peer.ts';
import type { Scale } from '../scale.ts';
import { INTAKE, Stand } from '../stand.ts';
import { profileFlags, type Row, type RowContext } from './row.ts';

const CUSTOMER = 'bench';
const CONNECTIONS = 64;
const row = 'deliver';

export const deliver: Row = (context) =>
  Stand.with(async (stand) => {
    const { scale, say } = context;
    const topic = deliveryTopic(CUSTOMER);
    const startPeer = await preparePeer();
    await stand.subscribe([{ customer: CUSTOMER, path: '/accept/ours', maxInFlight: CONNECTIONS }]);
    const headers = laneHeaders(stand.eventType.name, INTAKE);
    await stand.load({ topic, count: scale.deliverEvents, values: stand.samples(), headers });

    const ours: Flow[] = [];
    const cold: Flow[] = [];
    const limit: Flow[] = [];
    const peer: Flow[] = [];
    for (let round = 0; round < scale.rounds; round++) {
      if (round > 0) await stand.rewind(CUSTOMER);
      cold.push(await runOurs(stand, { ...context, profileDir: undefined }, { requests: scale.deliverWarmUp }));
      await stand.rewind(CUSTOMER);
      ours.push(await runOurs(stand, context, raced(scale)));
      limit.push(await runLimit(stand, scale));
      if (typeof startPeer === 'function') {
        const order = { brokers: stand.kafka.brokers, topic, groupId: `peer-${round}`, connections: CONNECTIONS };
        await stand.sink.reset();
        const running = startPeer({ ...order, url: stand.sink.url('/accept/peer') });
        peer.push(await stand.sink.flow('/accept/peer', running.pid, raced(scale)));
        await running.stop();
      }
      const rates = [ours, limit, peer].map((flows) => Math.round(flows.at(-1)?.perSecond ?? 0));
      say(`round ${round + 1}: ours ${rates[0]}/s, undici ${rates[1]}/s, peer ${rates[2]}/s`);
    }
    const rate = (flows: readonly Flow[]) => flows.map(({ perSecond }) => perSecond);
    const cpu = (flows: readonly Flow[]) => flows.map(({ cpuMicrosEach }) => cpuMicrosEach);
    const missing = typeof startPeer === 'function' ? {} : { note: startPeer.missing };
    return [
      { row, name: 'Databridge Events', unit: 'deliveries/s', values: rate(ours) },
      { row, name: 'bare undici', unit: 'requests/s', values: rate(limit) },
      { row, name: PEER, unit: 'requests/s', values: rate(peer), ...missing },
      { row, name: '÷ bare undici', unit: '×', values: ratios(rate(ours), rate(limit)), target: { atLeast: 0.42 } },
      { row, name: '÷ Parallel Consumer', unit: '×', values: ratios(rate(ours), rate(peer)), target: { atLeast: 1 } },
      { row, name: 'Databridge Events, processor', unit: 'µs each', values: cpu(ours), target: { atMost: 110 } },
      {
        row,
        name: `Databridge Events, processor, the first ${scale.deliverWarmUp.toLocaleString('en')} of a new process`,
        unit: 'µs each',
        values: cpu(cold),
      },
      { row, name: 'bare undici, processor', unit: 'µs each', values: cpu(limit) },
      { row, name: 'Parallel Consumer, processor', unit: 'µs each', values: cpu(peer) },
      {
        row,
        name: 'Databridge Events, peak memory',
        unit: 'MiB',
        values: ours.map(({ peakRssMiB }) => peakRssMiB),
        target: { atMost: 300 },
      },
    ] satisfies Measure[];
  });

/** Every side is warm when its time begins to count. */
const raced = ({ deliverEvents, deliverWarmUp }: Scale) => ({ requests: deliverEvents, warmUp: deliverWarmUp });

async function runOurs(
  stand: Stand,
  context: RowContext,
  counted: { requests: number; warmUp?: number },
): Promise<Flow> {
  await stand.sink.reset();
  const worker = stand.service('delivery', {}, { nodeFlags: profileFlags(context, row) });
  const flow = await stand.sink.flow('/accept/ours', worker.pid, counted);
  await worker.stop();
  return flow;
}

async function runLimit({ sink }: Stand, scale: Scale): Promise<Flow> {
  const count = scale.deliverEvents;
  await sink.reset();
  const child = new Child('undici', new URL('../limit-post.ts', import.meta.url), {});
  await child.message((message): message is object => message !== null);
  child.send({ url: sink.url('/accept/limit'), count, connections: CONNECTIONS } satisfies PostOrder);
  const flow = await sink.flow('/accept/limit', child.pid, raced(scale));
  await child.kill();
  return flow;
}
