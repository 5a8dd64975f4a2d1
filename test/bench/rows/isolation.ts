/**
 * Whether customers in trouble slow the others of their worker: four at once that are down, hang, answer 429 and have a
 * big backlog; and one whose endpoint hangs, and which wants 10,000 requests in flight.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Child } from '@databridge/demo/child';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import type { PostOrder } from '../limit-post.ts';
import { laneHeaders } from '../loader.ts';
import { type Measure, quantile, ratios } from '../measure.ts';
import { INTAKE, Stand, until, type Wish } from '../stand.ts';
import { running, timeTraffic } from '../traffic.ts';
import type { Row } from './row.ts';

const BACKLOG_PATH = '/accept/backlog';
const TROUBLED = ['down', 'hangs', 'throttles', 'backlog'] as const;
/** The requests that the backlog's customer may have in flight: a subscription's default. */
const CONNECTIONS = 64;

const HANGING = 'hanging';
const WANTED_IN_FLIGHT = 10_000;
/** A little less than the time-out, the longest that a subscription may have: so the breaker never opens. */
const PATH = `/wait-19000/${HANGING}`;
const TIMEOUT_MS = 20_000;
/** It begins with so many, and has more with each round trip (services/delivery/src/gate/concurrency.ts). */
const FIRST_IN_FLIGHT = 32;

export const isolation: Row = async (context) => [...(await fourInTrouble(context)), ...(await oneHangs(context))];

/**
 * The drain of the backlog also takes the processor from the broker, from fan-out and from the sink, which share this
 * machine. How much of the effect that is shows where a process of its own posts ready-made bodies at the same rate,
 * beside customers that are all healthy.
 */
const fourInTrouble: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const others = Array.from({ length: scale.latencyCustomers - TROUBLED.length }, (_, n) => `c${n}`);
    const customers = [...TROUBLED, ...others];
    const healthy = (customer: string): Wish => ({ customer, path: `/record/${customer}` });
    const allHealthy = customers.map((customer) => ({
      ...healthy(customer),
      state: customer === 'backlog' ? 'paused' : 'active',
    }));
    const inTrouble: Wish[] = [
      { ...healthy('down'), destination: { url: await nobodyListens() } },
      { customer: 'hangs', path: '/hang/hangs' },
      { customer: 'throttles', path: '/status-429/throttles' },
      { customer: 'backlog', path: BACKLOG_PATH, maxInFlight: CONNECTIONS },
    ];
    await stand.subscribe(allHealthy);
    await stand.load({
      topic: deliveryTopic('backlog'),
      count: scale.isolationBacklog,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
    const [fanOut, worker] = await Promise.all([stand.service('fan-out').ready(), stand.service('delivery').ready()]);
    await running(worker, customers.length - 1);
    const traffic = { customers, eventsPerSecond: scale.latencyEventsPerSecond, timed: new Set(others) };
    const p99 = async (phase: string) => {
      const startedAtMs = performance.now();
      const latencies = await timeTraffic(stand, { ...traffic, phase, seconds: scale.latencySeconds });
      const found = quantile(latencies, 0.99);
      const { requests } = await stand.sink.count(BACKLOG_PATH);
      const perSecond = requests / ((performance.now() - startedAtMs) / 1_000);
      say(`${phase}: ${latencies.length} events, p99 ${found} ms; beside it ${perSecond.toFixed(0)} requests/s`);
      return { p99: found, perSecond };
    };

    await p99('warm-up');
    const alone: number[] = [];
    const beside: number[] = [];
    const machine: number[] = [];
    const drained: number[] = [];
    for (let round = 1; round <= scale.rounds; round++) {
      alone.push((await p99(`alone-${round}`)).p99);
      await stand.subscribe(inTrouble);
      const troubled = await p99(`troubled-${round}`);
      beside.push(troubled.p99);
      drained.push(troubled.perSecond);
      await stand.subscribe(allHealthy);
      await running(worker, customers.length - 1);
      const poster = new Child('undici', new URL('../limit-post.ts', import.meta.url), {});
      await poster.message((message): message is object => message !== null);
      const pace = { count: Number.MAX_SAFE_INTEGER, perSecond: troubled.perSecond };
      poster.send({ url: stand.sink.url(BACKLOG_PATH), connections: CONNECTIONS, ...pace } satisfies PostOrder);
      machine.push((await p99(`machine-${round}`)).p99);
      await poster.kill();
    }
    await Promise.all([fanOut.kill(), worker.kill()]);

    const row = 'isolation';
    const note = `one is down, one hangs, one answers 429, one has ${scale.isolationBacklog.toLocaleString('en')} waiting`;
    return [
      { row, name: "others' p99, all healthy", unit: 'ms', values: alone },
      { row, name: "others' p99, four in trouble", unit: 'ms', values: beside, note },
      { row, name: 'meanwhile, of the backlog', unit: 'deliveries/s', values: drained },
      { row, name: "others' p99, all healthy, beside bare undici with as many requests", unit: 'ms', values: machine },
      { row, name: 'four in trouble ÷ all healthy', unit: '×', values: ratios(beside, alone), target: { atMost: 1.3 } },
      { row, name: 'the same ÷ beside bare undici', unit: '×', values: ratios(beside, machine) },
    ] satisfies Measure[];
  });

const oneHangs: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const healthy = Array.from({ length: scale.latencyCustomers - 1 }, (_, n) => `c${n}`);
    const hanging = {
      customer: HANGING,
      path: PATH,
      maxInFlight: WANTED_IN_FLIGHT,
      ceilings: { maxInFlight: WANTED_IN_FLIGHT },
    };
    const subscribe = (state: 'active' | 'paused') =>
      stand.subscribe([{ ...hanging, destination: { timeoutMs: TIMEOUT_MS }, state }]);
    await stand.subscribe(healthy.map((customer) => ({ customer, path: `/record/${customer}` })));
    await subscribe('paused');
    await stand.load({
      topic: deliveryTopic(HANGING),
      count: scale.hangingEvents,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
    const [fanOut, worker] = await Promise.all([stand.service('fan-out').ready(), stand.service('delivery').ready()]);
    await running(worker, healthy.length);
    const traffic = { customers: healthy, eventsPerSecond: scale.latencyEventsPerSecond, timed: new Set(healthy) };
    const p99 = async (phase: string) => {
      const latencies = await timeTraffic(stand, { ...traffic, phase, seconds: scale.latencySeconds });
      say(`${phase}: ${latencies.length} events, p99 ${quantile(latencies, 0.99)} ms`);
      return quantile(latencies, 0.99);
    };

    await p99('warm-up');
    const alone: number[] = [];
    const beside: number[] = [];
    const hung: number[] = [];
    for (let round = 1; round <= scale.rounds; round++) {
      alone.push(await p99(`alone-${round}`));
      await stand.sink.reset();
      await subscribe('active');
      hung.push(
        await until(
          `${FIRST_IN_FLIGHT} requests hang`,
          async () => (await stand.sink.count(PATH)).requests,
          (n) => n >= FIRST_IN_FLIGHT,
        ),
      );
      beside.push(await p99(`beside-${round}`));
      await subscribe('paused');
      await running(worker, healthy.length);
    }
    await Promise.all([fanOut.kill(), worker.kill()]);

    const note = `one of ${healthy.length + 1} customers wants ${WANTED_IN_FLIGHT.toLocaleString('en')} requests in flight, each of which hangs for 19 s; ${Math.min(...hung).toLocaleString('en')} and more hung`;
    const row = 'isolation, hanging';
    return [
      { row, name: "others' p99, alone", unit: 'ms', values: alone },
      { row, name: "others' p99, beside it", unit: 'ms', values: beside, note },
      { row, name: 'beside it ÷ alone', unit: '×', values: ratios(beside, alone), target: { atMost: 1.3 } },
    ] satisfies Measure[];
  });

/** A port that was free a moment ago: connections are refused. */
async function nobodyListens(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}/down`;
}
