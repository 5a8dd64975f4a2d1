/** What a scrape of a worker with 10,000 customers costs, all of whose series are written. */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { deliveryMetrics } from '@databridge/delivery/metrics';
import type { CustomerLevels } from '@databridge/delivery/observe/customer-levels';
import { createRegistry } from '@databridge/kernel/metrics';
import { systemClock } from '@databridge/kernel/time/clock';
import type { Measure } from '../measure.ts';
import type { Row } from './row.ts';

const CUSTOMERS = 10_000;
const SCRAPES = 5;

/** A customer that fails: it has every series there is. */
const FAILING: CustomerLevels = {
  waiting: new Map([
    ['main', 20],
    ['10s', 3],
    ['7m45s', 9],
  ]),
  ...{ oldestIntakeAtMs: 1e12, failingSinceMs: 1e12, lastSuccessAtMs: 1e12, budget: { time: 0.1, attempts: 0.2 } },
  ...{ disable: { atMs: 2e12, because: 'exhausted' }, statedRate: 50, effectiveRate: 25, inFlight: 3 },
  ...{ destination: 'https://customer.example', breaker: 'open', held: undefined, isAskedToWait: true },
};

export const scrape: Row = async ({ say }) => {
  const registry = createRegistry('delivery');
  const { book } = deliveryMetrics(
    registry,
    { bufferedBytes: () => 0, customers: () => CUSTOMERS, customersWanted: () => CUSTOMERS, connections: () => 0 },
    {
      ...{ worker: 'bench', clock: systemClock, eventTypes: ['root-cause'], shown: 'all' },
      ...{ bufferedBytesLimit: 1, connectionsLimit: 1 },
    },
  );
  for (let at = 0; at < CUSTOMERS; at++) book.of(`customer-${at}`).levels = () => FAILING;
  const server = createServer((_request, response) => void Readable.from(registry.parts()).pipe(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const blockMs: number[] = [];
  const tookMs: number[] = [];
  let bytes = 0;
  for (let round = 0; round <= SCRAPES; round++) {
    const watch = watchTurns();
    const startedAtMs = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}`);
    bytes = 0;
    for await (const chunk of response.body ?? []) bytes += chunk.length;
    const longestMs = watch.end();
    // The first compiles.
    if (round === 0) continue;
    tookMs.push(performance.now() - startedAtMs);
    blockMs.push(longestMs);
  }
  server.close();
  say(`${(bytes / 1e6).toFixed(1)} MB a scrape`);
  const row = 'scrape';
  const measures: Measure[] = [
    {
      row,
      name: `longest turn of the event loop, processor time, ${CUSTOMERS} customers`,
      unit: 'ms',
      values: blockMs,
      target: { atMost: 25 },
    },
    { row, name: 'a whole scrape, read by the same process', unit: 'ms', values: tookMs },
  ];
  return measures;
};

/** Processor time of the longest turn of the event loop: wall time would count what other processes take. */
function watchTurns(): { end(): number } {
  let longestUs = 0;
  let isOn = true;
  let before = process.threadCpuUsage();
  const turn = () => {
    const now = process.threadCpuUsage();
    longestUs = Math.max(longestUs, now.user + now.system - before.user - before.system);
    before = now;
    if (isOn) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    end() {
      isOn = false;
      return longestUs / 1_000;
    },
  };
}
