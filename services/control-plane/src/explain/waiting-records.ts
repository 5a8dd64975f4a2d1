import type { ConsumedBatch } from '@databridge/kernel/kafka/records';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { type DeliveryHeaders, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { identified } from '@databridge/schemas/records/identity';
import { deliveryGroup, parseDelay } from '@databridge/schemas/records/topics';
import type { WaitingAttempt } from '@databridge/schemas/retries/disable-forecast';
import type { ControlPlaneContext } from '../context.ts';
import { lanesAmong } from '../views/customer-lanes.ts';
import { doneBy } from '../views/gather-evidence.ts';

/** A record of a lane that is not done. */
export interface WaitingRecord {
  readonly customer: string;
  /** `main`, or the retry lane's delay. */
  readonly lane: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it, ms since the epoch. */
  readonly atMs: number;
  /** When it may be sent, by the delay of its lane. */
  readonly dueAtMs: number;
  readonly facts: DeliveryHeaders;
}

export interface WaitingRecords {
  readonly records: readonly WaitingRecord[];
  /** True if a retry lane has more records than were read. */
  readonly isPartial: boolean;
}

/**
 * Reads the waiting records in the lanes of customers, from their committed offsets on.
 * @param most the limit per partition: the first records of a main lane, of which only the oldest count, and of a retry
 *   lane
 */
export async function waitingRecords(
  { admin, kafka, erasures }: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures'>,
  customers: readonly string[],
  most: { readonly main: number; readonly retry: number },
): Promise<WaitingRecords> {
  const topics = await admin.listTopics();
  const lanes = new Map(
    customers.flatMap((customer) =>
      [...lanesAmong(topics, customer)].map(([topic, lane]) => [topic, { customer, lane }] as const),
    ),
  );
  if (lanes.size === 0) return { records: [], isPartial: false };
  const committed = (await Promise.all(customers.map((one) => admin.committedOffsets(deliveryGroup(one))))).flat();
  const isDone = doneBy(committed);
  const starts = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  const records: WaitingRecord[] = [];
  let isPartial = false;
  const startOf = (topic: string, partition: number) => starts.get(`${topic}/${partition}`) ?? 0;
  const limitOf = (lane: string) => (lane === 'main' ? most.main : most.retry);
  const take = ({ topic, partition, records: batch, highWatermark }: ConsumedBatch) => {
    const { customer, lane } = lanes.get(topic) ?? { customer: '', lane: '' };
    if (lane !== 'main' && highWatermark > startOf(topic, partition) + limitOf(lane)) isPartial = true;
    for (const { offset, timestampMs, headers, value } of batch) {
      if (value === null) continue;
      const read = readDeliveryHeaders(headers);
      if (read.testWithinMs !== undefined || isDone(topic, partition, offset)) continue;
      const facts = lane === 'main' ? identified(read, { topic, partition, offset }) : read;
      if (erasures.events.has(facts)) continue;
      const delayMs = lane === 'main' ? 0 : (parseDelay(lane) ?? 0);
      const place = { customer, lane, topic, partition, offset };
      records.push({ ...place, atMs: timestampMs, dueAtMs: timestampMs + delayMs, facts });
    }
  };
  await readTopics(kafka, [...lanes.keys()], {
    within(topic, partition) {
      const from = startOf(topic, partition);
      return { from, to: from + limitOf(lanes.get(topic)?.lane ?? 'main') };
    },
    onBatch: take,
  });
  return { records, isPartial };
}

/** In the form that the forecast needs. Attempts under an older epoch than the subscription's do not count any more. */
export function waitingAttempt({ facts, dueAtMs }: WaitingRecord, enableEpoch: number, nowMs: number): WaitingAttempt {
  const counts = facts.attempt > 0 && (facts.enableEpoch ?? 0) >= enableEpoch;
  if (!counts) return { attempts: 0, firstAttemptAtMs: nowMs, dueAtMs };
  return { attempts: facts.attempt, firstAttemptAtMs: facts.firstAttemptAtMs ?? nowMs, dueAtMs };
}
