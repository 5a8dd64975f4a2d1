/**
 * How long an event takes from the intake to its destination; and that a customer's troubles are its own: the same
 * traffic once more while one is down, one hangs, one answers 429 and one has a big backlog.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders } from '../loader.ts';
import { type Measure, quantile } from '../measure.ts';
import { INTAKE, Stand, type Wish } from '../stand.ts';
import { running, timeTraffic } from '../traffic.ts';
import type { Row } from './row.ts';

const TROUBLED = ['down', 'hangs', 'throttles', 'backlog'] as const;

export const latency: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const others = Array.from({ length: scale.latencyCustomers - TROUBLED.length }, (_, n) => `c${n}`);
    const customers = [...TROUBLED, ...others];
    const healthy = (customer: string): Wish => ({ customer, path: `/record/${customer}` });
    await stand.subscribe(customers.map(healthy));
    const [fanOut, worker] = await Promise.all([stand.service('fan-out').ready(), stand.service('delivery').ready()]);
    await running(worker, customers.length);
    const traffic = { customers, eventsPerSecond: scale.latencyEventsPerSecond, seconds: scale.latencySeconds };
    const time = async (phase: string, timed: readonly string[]) => {
      const latencies = await timeTraffic(stand, { ...traffic, phase, timed: new Set(timed) });
      say(`${phase}: ${latencies.length} events, p99 ${quantile(latencies, 0.99)} ms`);
      return latencies;
    };

    // Code gets warm, the broker's too: what is measured is how it runs, not how it starts.
    await time('warm-up', customers);
    const all = await time('healthy', customers);
    const before = await time('before', others);
    await stand.subscribe([{ ...healthy('backlog'), state: 'paused' }]);
    await stand.load({
      topic: deliveryTopic('backlog'),
      count: scale.isolationBacklog,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
    await stand.subscribe([
      { ...healthy('down'), destination: { url: await nobodyListens() } },
      { customer: 'hangs', path: '/hang/hangs' },
      { customer: 'throttles', path: '/status-429/throttles' },
      { customer: 'backlog', path: '/accept/backlog' },
    ]);
    const during = await time('troubled', others);
    const { requests } = await stand.sink.count('/accept/backlog');
    await stand.subscribe([{ ...healthy('backlog'), state: 'paused' }]);
    const after = await time('after', others);
    await Promise.all([fanOut.kill(), worker.kill()]);

    const healthyP99 = [before, after].map((one) => quantile(one, 0.99));
    const troubledP99 = quantile(during, 0.99);
    const row = 'latency';
    const at = `${scale.latencyEventsPerSecond} events/s, ${customers.length} customers`;
    return [
      { row, name: `intake to received, p50 (${at})`, unit: 'ms', values: slices(all, 0.5) },
      { row, name: 'p95', unit: 'ms', values: slices(all, 0.95) },
      { row, name: 'p99', unit: 'ms', values: slices(all, 0.99), target: { atMost: 50 } },
      { row, name: 'p99.9', unit: 'ms', values: [quantile(all, 0.999)] },
      {
        row: 'isolation',
        name: "others' p99, all healthy",
        unit: 'ms',
        values: healthyP99,
      },
      {
        row: 'isolation',
        name: "others' p99, four in trouble",
        unit: 'ms',
        values: [troubledP99],
        note: `one is down, one hangs, one answers 429, one had ${scale.isolationBacklog.toLocaleString('en')} waiting, of which ${requests.toLocaleString('en')} went out meanwhile`,
      },
      {
        row: 'isolation',
        name: 'four in trouble ÷ all healthy',
        unit: '×',
        values: healthyP99.map((p99) => troubledP99 / p99),
        target: { atMost: 1.3 },
      },
    ] satisfies Measure[];
  });

/** The same stream for many customers: each has an event every few seconds. */
export const latencyMany: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const customers = Array.from({ length: scale.manyLatencyCustomers }, (_, n) => `c${n}`);
    await stand.subscribe(customers.map((customer) => ({ customer, path: `/record/${customer}` })));
    const [fanOut, worker] = await Promise.all([stand.service('fan-out').ready(), stand.service('delivery').ready()]);
    await running(worker, customers.length);
    const traffic = { customers, eventsPerSecond: scale.latencyEventsPerSecond, seconds: scale.latencySeconds };
    const time = async (phase: string) => {
      const latencies = await timeTraffic(stand, { ...traffic, phase, timed: new Set(customers) });
      say(`${phase}: ${latencies.length} events, p99 ${quantile(latencies, 0.99)} ms`);
      return latencies;
    };
    await time('warm-up');
    const all = await time('healthy');
    await Promise.all([fanOut.kill(), worker.kill()]);
    const row = 'latency-many';
    const at = `${scale.latencyEventsPerSecond} events/s, ${customers.length.toLocaleString('en')} customers`;
    return [
      { row, name: `intake to received, p50 (${at})`, unit: 'ms', values: slices(all, 0.5) },
      { row, name: 'p99', unit: 'ms', values: slices(all, 0.99), target: { atMost: 60 } },
    ];
  });

const SLICES = 3;

/** The quantile of each third of the time. */
function slices(latencies: readonly number[], share: number): number[] {
  const size = Math.ceil(latencies.length / SLICES);
  return Array.from({ length: SLICES }, (_, at) => quantile(latencies.slice(at * size, (at + 1) * size), share));
}

/** A port that was free a moment ago: connections are refused. */
async function nobodyListens(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}/down`;
}
