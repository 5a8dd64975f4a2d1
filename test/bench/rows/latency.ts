/** How long an event takes from the intake to its destination. */
import { type Measure, quantile } from '../measure.ts';
import { Stand } from '../stand.ts';
import { running, timeTraffic } from '../traffic.ts';
import type { Row } from './row.ts';

/** An even stream for as many customers as one worker easily takes. */
export const latency: Row = ({ scale, say }) =>
  Stand.with(async (stand) => {
    const customers = Array.from({ length: scale.latencyCustomers }, (_, n) => `c${n}`);
    await stand.subscribe(customers.map((customer) => ({ customer, path: `/record/${customer}` })));
    const [fanOut, worker] = await Promise.all([stand.service('fan-out').ready(), stand.service('delivery').ready()]);
    await running(worker, customers.length);
    const traffic = { customers, eventsPerSecond: scale.latencyEventsPerSecond, seconds: scale.latencySeconds };
    const time = async (phase: string) => {
      const latencies = await timeTraffic(stand, { ...traffic, phase, timed: new Set(customers) });
      say(`${phase}: ${latencies.length} events, p99 ${quantile(latencies, 0.99)} ms`);
      return latencies;
    };
    // Code gets warm, the broker's too: what is measured is how it runs, not how it starts.
    await time('warm-up');
    const all = await time('healthy');
    await Promise.all([fanOut.kill(), worker.kill()]);
    const row = 'latency';
    const at = `${scale.latencyEventsPerSecond} events/s, ${customers.length} customers`;
    return [
      { row, name: `intake to received, p50 (${at})`, unit: 'ms', values: slices(all, 0.5) },
      { row, name: 'p95', unit: 'ms', values: slices(all, 0.95) },
      { row, name: 'p99', unit: 'ms', values: slices(all, 0.99), target: { atMost: 50 } },
      { row, name: 'p99.9', unit: 'ms', values: [quantile(all, 0.999)] },
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
