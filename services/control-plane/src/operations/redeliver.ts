import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { ConsumedBatch, ProducedRecord } from '@databridge/kernel/kafka/records';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { eventKeyOf, identified } from '@databridge/schemas/records/identity';
import { deadTopic, deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';
import type { TimeRange } from '../views/reconcile.ts';
import { replayOf } from './replay.ts';

export type Redeliverable =
  | { readonly kind: 'event'; readonly eventId: string }
  /** By fan-out's append time. */
  | ({ readonly kind: 'range' } & TimeRange);

export interface Redelivery {
  readonly customer: string;
  /** Stands in every copy's `replay-id` header. */
  readonly replayId: string;
  /** Distinct events, each copied once. Events of several sources may have the same event id: all of them count. */
  readonly events: number;
}

/**
 * Sends events again, whatever became of them: copies at the end of the main lane, under the same event ids. Safe
 * while the customer runs.
 * @throws {DatabridgeError} DB_NOT_FOUND for an unknown customer, and for an event that no topic holds any more
 */
export async function redeliver(
  context: Pick<ControlPlaneContext, 'kafka' | 'workerStatuses' | 'subscriptions' | 'producer'>,
  customer: string,
  what: Redeliverable,
): Promise<Redelivery> {
  await readCustomer(context, customer);
  const replayId = `redelivery-${randomUUID()}`;
  const copied = new Set<string>();
  const copy = async ({ topic, partition, records }: ConsumedBatch) => {
    const copies: ProducedRecord[] = [];
    for (const record of records) {
      const facts = readDeliveryHeaders(record.headers);
      // Of a replay, the original is copied if it is in the range, and nothing if it is not.
      const isOther = what.kind === 'event' ? facts.eventId !== what.eventId : facts.replayId !== undefined;
      if (isOther || facts.testWithinMs !== undefined || record.value === null || facts.eventId === '') continue;
      const eventKey = eventKeyOf(identified(facts, { topic, partition, offset: record.offset }));
      if (copied.has(eventKey)) continue;
      copied.add(eventKey);
      copies.push(replayOf(customer, record, { topic, partition }, replayId));
    }
    if (copies.length > 0) await context.producer.send(copies);
  };
  const range = what.kind === 'range' ? what : {};
  const { fromMs, toMs } = range as TimeRange;
  const within = { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
  await readTopic(context.kafka, deliveryTopic(customer), { ...within, onBatch: copy });
  // Retention may have deleted the original, while the dead letter is still there.
  if (what.kind === 'event') {
    await readTopic(context.kafka, deadTopic(customer), { onBatch: copy });
    if (copied.size === 0) {
      throw new DatabridgeError('DB_NOT_FOUND', `Customer "${customer}" has no event "${what.eventId}" any more`);
    }
  }
  return { customer, replayId, events: copied.size };
}
