/** How throughput grows with workers and partitions: the same load each time, on a stand of its own. */
import type { Child } from '@databridge/demo/child';
import { sumOf } from '@databridge/demo/live/observe';
import { cpuMs } from '@databridge/demo/process-usage';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { intakeHeaders, laneHeaders } from '../loader.ts';
import type { Measure } from '../measure.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import { runFanOut } from './fan-out.ts';
import type { Row, RowContext } from './row.ts';

const row = 'growth';
const PATH = '/accept/growth';
/** Of all customers together: what one sink takes without turning any away. */
const CONNECTIONS = 640;
/** Customers of the runs with more and more workers, and of those with more and more partitions. */
const CUSTOMERS = 100;

export const growth: Row = async (context) => {
  const { growthWorkers, growthPartitions } = context.scale;
  const measures: Measure[] = [];
  for (const workers of growthWorkers) {
    measures.push(...(await drained(context, workers, counted(workers, 'worker'))));
  }
  for (const partitions of growthPartitions) measures.push(await fannedOut(context, partitions));
  return measures;
};

/** All workers run all their customers; then the events come at once, and how long they take is what counts. */
function drained({ scale, say }: RowContext, workerCount: number, name: string): Promise<Measure[]> {
  return Stand.with(async (stand) => {
    const customers = names(CUSTOMERS);
    const maxInFlight = Math.floor(CONNECTIONS / CUSTOMERS);
    await stand.subscribe(customers.map((customer) => ({ customer, path: PATH, maxInFlight })));
    const workers = Array.from({ length: workerCount }, () => stand.service('delivery'));
    await Promise.all(workers.map((worker) => worker.ready()));
    const running = async () => (await Promise.all(workers.map(customersOf))).reduce((sum, own) => sum + own, 0);
    await until('all customers run', running, (count) => count === CUSTOMERS);

    const cpuBefore = await cpuOf(workers);
    await stand.load({
      topic: (n) => deliveryTopic(customers[n % CUSTOMERS] as string),
      count: scale.growthEvents,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
    const arrived = () => stand.sink.count(PATH);
    const { requests, firstAtMs, latestAtMs } = await until(
      'all events came',
      arrived,
      (count) => count.requests >= scale.growthEvents,
    );
    const cpuEach = ((await cpuOf(workers)) - cpuBefore) / requests;
    await Promise.all(workers.map((worker) => worker.stop()));
    const perSecond = requests / ((latestAtMs - firstAtMs) / 1_000);
    say(`${name}: ${Math.round(perSecond)} deliveries/s`);
    return [
      { row, name: `deliver, ${name}`, unit: 'deliveries/s', values: [perSecond] },
      { row, name: `deliver, ${name}, processor`, unit: 'µs each', values: [cpuEach * 1_000] },
    ];
  });
}

function fannedOut({ scale, say }: RowContext, partitions: number): Promise<Measure> {
  return Stand.with(async (stand) => {
    const customers = names(CUSTOMERS);
    await stand.subscribe(customers.map((customer) => ({ customer, path: PATH })));
    const values = stand.samples(customers);
    await stand.load({ topic: INTAKE, count: scale.growthEvents, values, headers: intakeHeaders() });
    const { perSecond } = await runFanOut(stand, scale.growthEvents);
    const name = `fan-out, ${counted(partitions, 'partition')} of the intake`;
    say(`${name}: ${Math.round(perSecond)} events/s`);
    return { row, name, unit: 'events/s', values: [perSecond] };
  }, partitions);
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `c${n}`);
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

async function customersOf(worker: Child): Promise<number> {
  return sumOf(await worker.metrics(), 'databridge_delivery_customers');
}

async function cpuOf(workers: readonly Child[]): Promise<number> {
  return (await Promise.all(workers.map(({ pid }) => cpuMs(pid)))).reduce((sum, own) => sum + own, 0);
}
