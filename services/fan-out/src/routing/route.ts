/** Decides where intake records go. Pure: records that cannot be decided yet are returned. */

import { messageOf } from '@databridge/kernel/errors';
import { MAX_HEADER_BYTES, MAX_HEADERS } from '@databridge/kernel/kafka/kafkajs/patches/header-patch';
import { batchBytes } from '@databridge/kernel/kafka/kafkajs/produce-queue';
import type { ConsumedRecord, ProducedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import type { ReaderLookup } from '@databridge/kernel/registry/event-readers';
import { MalformedEventError } from '@databridge/schemas/errors';
import { schemaIdOf } from '@databridge/schemas/event/confluent-frame';
import type { EventReader } from '@databridge/schemas/event/event-types';
import {
  type DeliveryHeaders,
  eventIdOf,
  formatSource,
  traceparentOf,
  writeDeliveryHeaders,
} from '@databridge/schemas/records/headers';
import { copyKeyOf } from '@databridge/schemas/records/identity';
import type { QuarantineReason } from '@databridge/schemas/records/reasons';
import { deliveryTopic, MAX_MESSAGE_BYTES } from '@databridge/schemas/records/topics';
import type { FilterVerdict } from '@databridge/schemas/subscription/filter/event-filter';
import type { Filtered } from '@databridge/schemas/subscription/match';
import type { Routing } from '@databridge/schemas/subscription/routing';
import { type Quarantined, quarantineRecord } from './quarantine.ts';

export interface RouteContext {
  /** The name of the event type. */
  readonly eventType: string;
  readonly intake: TopicPartition;
  /** The reader of a schema id; `undefined` if it has not been looked up yet. */
  readerOf(schemaId: number): ReaderLookup | undefined;
  customersFor(eventType: string, routing: Routing): readonly string[];
  /** The ones among `customers` that have a content filter. */
  filteredAmong(customers: readonly string[]): readonly Filtered[];
  /** Returns whether the customer's own filter has time left: see filter-shares.ts. If omitted, it always has. */
  mayAsk?(customer: string): boolean;
  /** Evaluates a filter on a decoded event. */
  ask(filtered: Filtered, event: unknown): FilterVerdict;
  /**
   * Begins the span of a record that has copies.
   * @returns the `traceparent` of the copies. If omitted, the producer's
   */
  beginTrace?(record: ConsumedRecord, eventId: string, copies: number): string | undefined;
  /** Called after each record: false ends this turn, and the records after it are returned. If omitted, never. */
  mayGoOn?(): boolean;
}

/** A filter that could not be evaluated: the customer got the event. */
export interface FilterFailure {
  readonly customer: string;
  /** The stored filter is not valid, so it fails on every event. */
  readonly isInvalid?: true;
  readonly detail: string;
  readonly source: string;
}

export interface Routed {
  /** Copies for the customers, and records for the quarantine. */
  readonly records: readonly ProducedRecord[];
  /** The number of intake records that at least one customer matches. */
  readonly matched: number;
  readonly unmatched: number;
  /** The number of copies that were not made because the customer's filter excluded the event. */
  readonly filteredOut: number;
  readonly filterFailures: readonly FilterFailure[];
  readonly quarantined: readonly Quarantined[];
  /** Intake records that this turn did not reach, in order. */
  readonly left: readonly ConsumedRecord[];
  /** Intake records whose schemas are not known yet: they are routed when they are. */
  readonly undecided: readonly ConsumedRecord[];
  readonly unknownSchemaIds: ReadonlySet<number>;
}

type Decision =
  /** Empty if no subscription matches the event. */
  | {
      readonly kind: 'copies';
      readonly copies: readonly ProducedRecord[];
      /** Present if a filter was evaluated. */
      readonly passing?: Passing;
    }
  | { readonly kind: 'quarantine'; readonly reason: QuarantineReason; readonly detail: string }
  | { readonly kind: 'undecided'; readonly schemaId: number };

/** An internal error may be caused by other work at the time; one that repeats three times in a row is not. */
const TRIES = 3;

export function routeRecords(records: readonly ConsumedRecord[], context: RouteContext): Routed {
  const out: ProducedRecord[] = [];
  const quarantined: Quarantined[] = [];
  const undecided: ConsumedRecord[] = [];
  const unknownSchemaIds = new Set<number>();
  const filterFailures: FilterFailure[] = [];
  let matched = 0;
  let unmatched = 0;
  let filteredOut = 0;
  let reached = 0;
  for (const record of records) {
    if (reached > 0 && context.mayGoOn?.() === false) break;
    reached++;
    const decision = decideSafely(record, context);
    if (decision.kind === 'undecided') {
      undecided.push(record);
      unknownSchemaIds.add(decision.schemaId);
      continue;
    }
    if (decision.kind === 'quarantine') {
      const why = { reason: decision.reason, detail: decision.detail, source: sourceOf(record, context) };
      quarantined.push(why);
      out.push(quarantineRecord(record, context.eventType, why));
      continue;
    }
    if (decision.copies.length > 0) matched++;
    else unmatched++;
    out.push(...decision.copies);
    if (decision.passing === undefined) continue;
    filteredOut += decision.passing.filteredOut;
    filterFailures.push(...decision.passing.failures);
  }
  return {
    ...{ records: out, matched, unmatched, filteredOut, filterFailures, quarantined },
    ...{ undecided, unknownSchemaIds, left: records.slice(reached) },
  };
}

function decideSafely(record: ConsumedRecord, context: RouteContext): Decision {
  for (let attempt = 1; ; attempt++) {
    try {
      return decide(record, context);
    } catch (error) {
      if (attempt === TRIES) return { kind: 'quarantine', reason: 'internal', detail: messageOf(error) };
    }
  }
}

function decide(record: ConsumedRecord, context: RouteContext): Decision {
  const { value, excessHeaders, oversizedBatch } = record;
  if (oversizedBatch !== undefined) {
    return { kind: 'quarantine', reason: 'batch-too-large', detail: detailOf(oversizedBatch) };
  }
  if (excessHeaders !== undefined) {
    const { count, bytes } = excessHeaders;
    const detail = `${count} headers with ${bytes} bytes; at most ${MAX_HEADERS} headers with ${MAX_HEADER_BYTES} bytes are read`;
    return { kind: 'quarantine', reason: 'too-many-headers', detail };
  }
  if (value === null) return { kind: 'quarantine', reason: 'no-value', detail: 'the record has no value' };
  const schemaId = schemaIdOf(value);
  if (typeof schemaId !== 'number') {
    return { kind: 'quarantine', reason: 'malformed-frame', detail: schemaId.malformed };
  }
  const lookup = context.readerOf(schemaId);
  if (lookup === undefined) return { kind: 'undecided', schemaId };
  if (lookup.kind === 'unreadable') return { kind: 'quarantine', reason: lookup.reason, detail: lookup.detail };
  const routing = routingOf(lookup.reader, value);
  if (routing instanceof MalformedEventError) {
    return { kind: 'quarantine', reason: 'malformed-data', detail: routing.message };
  }
  const placed = context.customersFor(context.eventType, routing);
  const filtered = context.filteredAmong(placed);
  const passing =
    filtered.length > 0 ? passFilters(placed, filtered, lookup.reader, record, value, context) : undefined;
  const customers = passing?.customers ?? placed;
  const copies = customers.length > 0 ? copiesFor(customers, record, context) : [];
  const [copy] = copies;
  // Only large events are measured: our headers are small, and copies differ only in the topic.
  if (copy && value.length > MAX_MESSAGE_BYTES / 2 && batchBytes(copy) > MAX_MESSAGE_BYTES) {
    const detail = `${batchBytes(copy)} bytes as a copy; delivery topics take at most ${MAX_MESSAGE_BYTES}`;
    return { kind: 'quarantine', reason: 'too-large', detail };
  }
  return { kind: 'copies', copies, ...(passing && { passing }) };
}

function detailOf(batch: NonNullable<ConsumedRecord['oversizedBatch']>): string {
  const { firstOffset, lastOffset, records, compressedBytes, maxBytes } = batch;
  return (
    `The batch of offsets ${firstOffset} to ${lastOffset} (${records} records, ${compressedBytes} bytes) is larger than ` +
    `${maxBytes} bytes when decompressed. The intake keeps it: raise MAX_BATCH_MIB and reset fan-out's offset, or produce it again in smaller batches`
  );
}

interface Passing {
  readonly customers: readonly string[];
  readonly filteredOut: number;
  readonly failures: readonly FilterFailure[];
}

/**
 * Only here is a whole event decoded: once, for all filters. A customer whose filter cannot be evaluated gets the
 * event: an event too many does less harm than one too few.
 */
function passFilters(
  placed: readonly string[],
  filtered: readonly Filtered[],
  reader: EventReader,
  record: ConsumedRecord,
  value: Buffer,
  context: RouteContext,
): Passing {
  const verdictOf = verdictsOn(reader, value, context);
  const refusing = new Set<string>();
  const failures: FilterFailure[] = [];
  for (const one of filtered) {
    const { customer } = one;
    const verdict = verdictOf(one);
    if (verdict.kind === 'differs') refusing.add(customer);
    else if (verdict.kind === 'failed') {
      const { kind: _, ...failure } = verdict;
      failures.push({ customer, ...failure, source: sourceOf(record, context) });
    }
  }
  const customers = refusing.size === 0 ? placed : placed.filter((customer) => !refusing.has(customer));
  return { customers, filteredOut: refusing.size, failures };
}

/** The warning about a filter that used more than its share of fan-out's time. */
const NO_TIME_LEFT: FilterVerdict = {
  kind: 'failed',
  detail: "not evaluated: the customer's filter takes more than its part of fan-out's time",
};

function verdictsOn(reader: EventReader, value: Buffer, context: RouteContext): (filtered: Filtered) => FilterVerdict {
  let event: unknown;
  try {
    event = reader.decoded(value);
  } catch (error) {
    return () => ({ kind: 'failed', detail: messageOf(error) });
  }
  const known = new Map<string, FilterVerdict>();
  return (filtered) => {
    const { customer, filter, isOwn } = filtered;
    let verdict = known.get(filter);
    if (verdict === undefined) {
      // The operator's filter is always evaluated: it may exist so that the customer does not get everything.
      if (isOwn && context.mayAsk?.(customer) === false) return NO_TIME_LEFT;
      verdict = context.ask(filtered, event);
      known.set(filter, verdict);
    }
    return verdict;
  };
}

function routingOf(reader: EventReader, value: Buffer): Routing | MalformedEventError {
  try {
    return reader.routing(value);
  } catch (error) {
    if (error instanceof MalformedEventError) return error;
    throw error;
  }
}

/** All customers get the unchanged bytes of the intake record, under the same event id. */
function copiesFor(customers: readonly string[], record: ConsumedRecord, context: RouteContext): ProducedRecord[] {
  const { eventType } = context;
  const eventId = eventIdOf(record, eventType);
  const traceparent = context.beginTrace
    ? context.beginTrace(record, eventId, customers.length)
    : traceparentOf(record.headers);
  const source = sourceOf(record, context);
  const facts: DeliveryHeaders = {
    eventId,
    eventType,
    source,
    intakeAtMs: record.timestampMs,
    attempt: 0,
    ...(traceparent !== undefined && { traceparent }),
  };
  const [key, headers] = [copyKeyOf(facts), writeDeliveryHeaders(facts)];
  return customers.map((customer) => ({ topic: deliveryTopic(customer), key, value: record.value, headers }));
}

function sourceOf({ offset }: ConsumedRecord, { intake }: RouteContext): string {
  return formatSource(intake.topic, intake.partition, offset);
}
