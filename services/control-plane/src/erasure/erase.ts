/** Erases one call; docs/decisions/erasure.md gives the reasons, and what an erasure may claim. */

import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { ErasedEvents, encodeErasure, MAX_ERASED_EVENTS, requestDigest } from '@databridge/schemas/privacy/erasures';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { ERASED_TOPIC, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { takeOutLetters } from '../operations/letters.ts';
import { type Run, untracked } from '../operations/run.ts';
import { CallSearch } from './call-search.ts';
import { isLetters } from './copy.ts';
import { customersOf, type ErasurePlan, type ErasureReceipt, remaindersOf } from './receipt.ts';
import { type RemovalTimes, removeCopies } from './remove-copies.ts';

type Context = Pick<
  ControlPlaneContext,
  'kafka' | 'admin' | 'watermarks' | 'producer' | 'events' | 'intakeTopics' | 'erasures' | 'commit'
>;

/** The call to erase. */
export interface Call {
  readonly requestId: string;
  /** Older records are not searched: the call began later. In ms since the epoch; left out: all are searched. */
  readonly fromMs?: number | undefined;
}

/** Returns what an erasure would concern; changes nothing. */
export async function planErasure(context: Context, { requestId, fromMs }: Call): Promise<ErasurePlan> {
  const search = new CallSearch(context, requestId, { fromMs });
  await search.advance();
  return {
    events: search.events.size,
    customers: customersOf(search.topics),
    remainders: await remaindersOf(context.admin, search.copies),
  };
}

/**
 * Erases the events of a call. Once the record of the erasure is read, a moment after it was written, no worker sends
 * the events and no view shows them. Then the letters are removed, and Kafka removes the bytes of all copies. After a
 * crash it starts again with the same result; erasing a request id again adds newer events.
 * @throws {DatabridgeError} DB_NOT_FOUND if no topic contains such an event; DB_INPUT_INVALID if it is not one call
 */
export async function eraseCall(
  context: Context,
  { requestId, fromMs }: Call,
  run: Run = untracked,
  times?: RemovalTimes,
): Promise<ErasureReceipt> {
  const request = requestDigest(requestId);
  const search = new CallSearch(context, requestId, { known: context.erasures.events.of(request), fromMs });
  await search.advance((done, total) => run.reportProgress(done, { step: `searching ${total} topics` }));
  const events = [...search.events];
  if (events.length === 0) throw nothingFound();
  if (events.length > MAX_ERASED_EVENTS) throw tooMany(events.length);
  const erasedAtMs = systemClock.nowMs();
  const value = encodeErasure({ v: 1, atMs: erasedAtMs, events });
  await context.commit([{ records: [{ topic: ERASED_TOPIC, key: request, value }] }]);
  await context.erasures.refreshed();
  const taken = await takeOut(context, search, run);
  const { removed, kept } = await removeCopies(context, search, run, times);
  const receipt: ErasureReceipt = {
    ...(fromMs !== undefined && { fromMs }),
    ...{ request, erasedAtMs, events: events.length, customers: customersOf(search.topics), ...taken, removed },
    remainders: await remaindersOf(context.admin, search.copies, kept),
  };
  await run.finishing(context.commit, receipt)([{ what: 'erased', detail: { ...receipt } }]);
  return receipt;
}

async function takeOut(context: Context, { topics }: CallSearch, run: Run) {
  const { kafka, producer, erasures } = context;
  // What is erased is not among the letters that others see.
  const all = { kafka, producer, erasures: { events: new ErasedEvents() } };
  const counts = { deadLetters: 0, quarantined: 0 };
  for (const topic of topics.filter(isLetters)) {
    const isErased = ({ record }: Parameters<Parameters<typeof takeOutLetters>[2]>[0]) =>
      erasures.events.has(readDeliveryHeaders(record.headers));
    const { taken } = await takeOutLetters(all, topic, isErased, () => 'nowhere');
    counts[topic === QUARANTINE_TOPIC ? 'quarantined' : 'deadLetters'] += taken;
    run.signal.throwIfAborted();
  }
  return counts;
}

function nothingFound(): DatabridgeError {
  return new DatabridgeError(
    'DB_NOT_FOUND',
    'No intake, delivery, retry or dead-letter topic and no quarantined record contains an event of that request id: check it, and that the event was not deleted by age already',
  );
}

function tooMany(events: number): DatabridgeError {
  return new DatabridgeError(
    'DB_INPUT_INVALID',
    `${events} events hold that value, more than ${MAX_ERASED_EVENTS}: it is not the request id of one call. Nothing was erased`,
  );
}
