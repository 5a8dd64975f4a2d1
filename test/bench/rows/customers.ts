/**
 * What it costs that the same events belong to more customers: one worker runs all of them, and in each round the same
 * load is drained for one customer, for 100 and so on, in turns. The worker stands still (SIGSTOP) while the topics are
 * filled, so that it drains a backlog at full speed and starts nothing meanwhile.
 */
import type { Child } from '@databridge/demo/child';
import { cpuMs } from '@databridge/demo/process-usage';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { laneHeaders } from '../loader.ts';
import { type Measure, ratios } from '../measure.ts';
import { INTAKE, Stand, until } from '../stand.ts';
import { running } from '../traffic.ts';
import type { Row, RowContext } from './row.ts';

const row = 'customers';
/** Of all customers together: what one sink takes without turning any away. */
const CONNECTIONS = 640;
/** Longer than filling the topics takes: the worker keeps its customers while it stands still. */
const SESSION_TIMEOUT = '60s';
/** What is reached at least, beside one customer (issue: a worker's cost follows its events). */
const TARGETS: Readonly<Record<number, number>> = { 100: 0.85, 1000: 0.6 };

interface Drain {
  readonly perSecond: number;
  readonly cpuMicrosEach: number;
}

export const customers: Row = (context) =>
  Stand.with(async (stand) => {
    const { scale, say } = context;
    const groups = scale.customersCounts.map((count) => ({ count, names: namesOf(count), drains: [] as Drain[] }));
    for (const { count, names } of groups) {
      const maxInFlight = Math.min(64, Math.max(1, Math.floor(CONNECTIONS / count)));
      await stand.subscribe(names.map((customer) => ({ customer, path: pathOf(count), maxInFlight })));
    }
    const worker = stand.service('delivery', { SESSION_TIMEOUT });
    await worker.ready();
    await running(
      worker,
      groups.reduce((sum, { count }) => sum + count, 0),
    );

    // The first round warms up code, broker and connections, and does not count.
    for (let round = 0; round <= scale.rounds; round++) {
      for (const { count, names, drains } of groups) {
        const drain = await drained(stand, worker, context, count, names);
        say(
          `round ${round}: ${count} customers, ${Math.round(drain.perSecond)}/s, ${drain.cpuMicrosEach.toFixed(0)} µs`,
        );
        if (round > 0) drains.push(drain);
      }
    }
    await worker.kill();

    const [one] = groups;
    return groups.flatMap(({ count, drains }): Measure[] => {
      const rates = drains.map(({ perSecond }) => perSecond);
      const cpu = drains.map(({ cpuMicrosEach }) => cpuMicrosEach);
      const name = `${count.toLocaleString('en')} customer${count === 1 ? '' : 's'}`;
      const atLeast = TARGETS[count];
      const beside =
        count === 1 || one === undefined
          ? []
          : ratios(
              rates,
              one.drains.map(({ perSecond }) => perSecond),
            );
      return [
        { row, name, unit: 'deliveries/s', values: rates },
        { row, name: `${name}, processor`, unit: 'µs each', values: cpu },
        ...(beside.length > 0
          ? [
              {
                row,
                name: `${name} ÷ 1`,
                unit: '×',
                values: beside,
                ...(atLeast !== undefined && { target: { atLeast } }),
              },
            ]
          : []),
      ];
    });
  });

async function drained(
  stand: Stand,
  worker: Child,
  { scale }: RowContext,
  count: number,
  names: readonly string[],
): Promise<Drain> {
  await stand.sink.reset();
  process.kill(worker.pid, 'SIGSTOP');
  try {
    await stand.load({
      topic: (n) => deliveryTopic(names[n % count] as string),
      count: scale.customersEvents,
      values: stand.samples(),
      headers: laneHeaders(stand.eventType.name, INTAKE),
    });
  } finally {
    process.kill(worker.pid, 'SIGCONT');
  }
  const cpuBeforeMs = await cpuMs(worker.pid);
  const { requests, firstAtMs, latestAtMs } = await until(
    'all events came',
    () => stand.sink.count(pathOf(count)),
    (found) => found.requests >= scale.customersEvents,
  );
  const spentMs = (await cpuMs(worker.pid)) - cpuBeforeMs;
  return {
    perSecond: (requests * 1_000) / (latestAtMs - firstAtMs),
    cpuMicrosEach: (spentMs * 1_000) / requests,
  };
}

function pathOf(count: number): string {
  return `/accept/of-${count}`;
}

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `of-${count}-${n}`);
}
