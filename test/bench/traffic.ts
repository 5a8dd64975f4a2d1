/** Even traffic through both services, and how long each event took from the intake's log to its destination. */

import type { Child } from '@databridge/demo/child';
import { sumOf } from '@databridge/demo/live/observe';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { HEADER } from '@databridge/schemas/records/headers';
import { intakeHeaders } from './loader.ts';
import { INTAKE, type Stand, until } from './stand.ts';

export interface Traffic {
  /** Marks the ids, so that one phase is told from another. */
  readonly phase: string;
  readonly customers: readonly string[];
  readonly eventsPerSecond: number;
  readonly seconds: number;
  /** Of these it is waited for, and told, how long they took. */
  readonly timed: ReadonlySet<string>;
}

/** Of what is sent in the first seconds: connections are opened, code gets warm. */
const WARM_UP_SECONDS = 2;

/**
 * @returns of each timed event after the warm-up how many ms passed from its append to the intake, as the broker
 *   stamped it, to its arrival at the sink; by when it was sent
 */
export async function timeTraffic(stand: Stand, traffic: Traffic): Promise<number[]> {
  const { phase, customers, eventsPerSecond, seconds, timed } = traffic;
  const values = stand.samples(customers);
  const count = eventsPerSecond * (seconds + WARM_UP_SECONDS);
  const customerOf = (n: number) => customers[(n % values.length) % customers.length] as string;
  await stand.sink.reset();
  const beganAtMs = Date.now();
  await stand.load({ topic: INTAKE, count, values, headers: intakeHeaders(phase), perSecond: eventsPerSecond });

  const wanted = new Set<string>();
  for (let n = eventsPerSecond * WARM_UP_SECONDS; n < count; n++) {
    if (timed.has(customerOf(n))) wanted.add(`${phase}_${n}`);
  }
  const arrived = async () => {
    const arrivals = await stand.sink.arrivals();
    return { arrivals, missing: [...wanted].filter((id) => !arrivals.has(id)).length };
  };
  const { arrivals } = await until('all events came', arrived, ({ missing }) => missing === 0);

  const latencies: number[] = [];
  await readTopics(stand.kafka, [INTAKE], {
    fromMs: beganAtMs,
    onBatch: ({ records }) => {
      for (const { headers, timestampMs } of records) {
        const id = String(headers[HEADER.eventId]);
        if (wanted.has(id)) latencies.push((arrivals.get(id) as number) - timestampMs);
      }
    },
  });
  return latencies;
}

/** A scrape of a thousand customers is work for the worker, while it starts. */
const SCRAPE_EVERY_MS = 250;

/** Resolves when the worker runs so many customers. */
export async function running(worker: Child, customers: number): Promise<void> {
  const count = async () => sumOf(await worker.metrics(), 'databridge_delivery_customers');
  await until(`${customers} customers run`, count, (found) => found === customers, SCRAPE_EVERY_MS);
}
