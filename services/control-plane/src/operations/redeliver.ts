import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { ConsumedBatch, ProducedRecord } from '@databridge/kernel/kafka/records';
import { readTopic, readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { eventKeyOf, identified } from '@databridge/schemas/records/identity';
import { deadTopic, deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';
import type { TimeRange } from '../views/reconcile.ts';
import { replayOf } from './replay.ts';
import { type Run, untracked } from './run.ts';

export type Redeliverable =
  | { readonly kind: 'event'; readonly eventId: string }
  /** The range of times at which fan-out appended the events. */
  | ({ readonly kind: 'range' } & TimeRange);

export interface Redelivery {
  readonly customer: string;
  /** The value of every copy's `replay-id` header. */
  readonly replayId: string;
  /**
   * The number of distinct events, each copied once. Events of several sources may have the same event id: all of them
   * count.
   */
  readonly events: number;
}

type Context = Pick<ControlPlaneContext, 'kafka' | 'erasures' | 'workerStatuses' | 'subscriptions'>;

/**
 * The number of events that a redelivery would copy.
 * @throws {DatabridgeError} DB_NOT_FOUND for an unknown customer, and for an event that no topic has any more
 */
export async function planRedelivery(context: Context, customer: string, what: Redeliverable): Promise<number> {
  return await eachCopy(context, customer, what, 'planned', async () => undefined);
}

/**
 * Sends events again, whatever their fate was: copies at the end of the main lane, under the same event ids. This is
 * safe while the customer runs. If it is resumed after a kill, it copies again at most the events since its last
 * checkpoint, under the same replay id.
 * @throws {DatabridgeError} as {@link planRedelivery}
 */
export async function redeliver(
  context: Context & Pick<ControlPlaneContext, 'producer'>,
  customer: string,
  what: Redeliverable,
  run: Run = untracked,
): Promise<Redelivery> {
  const replayId = `redelivery-${run.id ?? randomUUID()}`;
  const done = { ...(run.checkpoint['copiedUpTo'] as Record<string, number> | undefined) };
  const events = await eachCopy(
    context,
    customer,
    what,
    replayId,
    async (copies, { topic, partition, nextOffset }, count) => {
      const place = `${topic}/${partition}`;
      const fresh = copies.filter(({ offset }) => offset >= (done[place] ?? 0));
      if (fresh.length > 0) await context.producer.send(fresh.map(({ record }) => record));
      done[place] = Math.max(done[place] ?? 0, nextOffset);
      await run.reportProgress(count, { step: 'copying', checkpoint: { copiedUpTo: { ...done } } });
    },
  );
  return { customer, replayId, events };
}

type OnCopies = (
  copies: readonly { readonly offset: number; readonly record: ProducedRecord }[],
  batch: ConsumedBatch,
  count: number,
) => Promise<void>;

/** @returns the number of distinct events */
async function eachCopy(
  context: Context,
  customer: string,
  what: Redeliverable,
  replayId: string,
  onCopies: OnCopies,
): Promise<number> {
  await readCustomer(context, customer);
  const copied = new Set<string>();
  const onBatch = async (batch: ConsumedBatch) => {
    const { topic, partition, records } = batch;
    const copies = records.flatMap((record) => {
      const facts = readDeliveryHeaders(record.headers);
      // For a replay, the original is copied if it is in the range, and nothing if it is not.
      const isOther = what.kind === 'event' ? facts.eventId !== what.eventId : facts.replayId !== undefined;
      if (isOther || facts.testWithinMs !== undefined || record.value === null || facts.eventId === '') return [];
      const known = identified(facts, { topic, partition, offset: record.offset });
      const eventKey = eventKeyOf(known);
      if (copied.has(eventKey) || context.erasures.events.has(known)) return [];
      copied.add(eventKey);
      return [{ offset: record.offset, record: replayOf(customer, record, { topic, partition }, replayId) }];
    });
    await onCopies(copies, batch, copied.size);
  };
  const { fromMs, toMs }: TimeRange = what.kind === 'range' ? what : {};
  const within = { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
  await readTopic(context.kafka, deliveryTopic(customer), { ...within, onBatch });
  // Retention may have deleted the original, while the dead letter is still there.
  if (what.kind === 'event') {
    await readTopicIfAny(context.kafka, deadTopic(customer), { onBatch });
    if (copied.size === 0) {
      throw new DatabridgeError(
        'DB_NOT_FOUND',
        `Customer "${customer}" has no event "${what.eventId}": it never existed, or its topics no longer contain it`,
      );
    }
  }
  return copied.size;
}
