/** Intake records that can't be read go aside, whole and with the reason, so that they hold up nobody. */
import { batchBytes } from '@databridge/kernel/kafka/kafkajs/produce-queue';
import type { ConsumedRecord, ProducedRecord } from '@databridge/kernel/kafka/records';
import { eventIdOf, HEADER, traceparentOf } from '@databridge/schemas/records/headers';
import { MAX_MESSAGE_BYTES, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';

export const QUARANTINE_REASONS = [
  /** A record without a value: there is no event in it. */
  'no-value',
  /** The record has more headers, or more bytes of headers, than are decoded. */
  'too-many-headers',
  /** The record stands for a whole batch that is too large when decompressed. The intake has it. */
  'batch-too-large',
  'malformed-frame',
  /** The registry does not know the schema id, and did not learn of it in time. */
  'unknown-schema',
  /** The writer's schema does not resolve to the pinned one. */
  'incompatible-schema',
  /** The data do not fit the schema that they name. */
  'malformed-data',
  /** It came compressed, or by a topic that takes more than ours: no copy of it can be written. Its source has it. */
  'too-large',
  /** Our own fault with this one record, three times in a row. */
  'internal',
] as const;

export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

export interface Quarantined {
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly source: string;
}

/** Kept well under the room that topics have for headers. */
const MAX_DETAIL_CHARS = 1_000;

/**
 * Key: the source, so that a record that is quarantined twice is kept once. The key that it had goes into a header:
 * a redrive needs it to find the same event id.
 */
export function quarantineRecord(
  record: ConsumedRecord,
  eventType: string,
  { reason, detail, source }: Quarantined,
): ProducedRecord {
  const traceparent = traceparentOf(record.headers);
  const whole: ProducedRecord = {
    topic: QUARANTINE_TOPIC,
    key: source,
    // The topic is compacted: null would delete what we mean to keep.
    value: record.value ?? Buffer.alloc(0),
    headers: {
      [HEADER.eventId]: eventIdOf(record, eventType),
      [HEADER.eventType]: eventType,
      [HEADER.source]: source,
      [HEADER.quarantineReason]: reason,
      [HEADER.quarantineDetail]: detail.slice(0, MAX_DETAIL_CHARS),
      ...(record.key && { [HEADER.intakeKey]: record.key }),
      ...(traceparent !== undefined && { [HEADER.traceparent]: traceparent }),
    },
  };
  return batchBytes(whole) > MAX_MESSAGE_BYTES ? withoutBytes(whole) : whole;
}

/** What can't be written must not be tried for ever: the reason and the source stand, the bytes stay at the source. */
function withoutBytes(whole: ProducedRecord): ProducedRecord {
  const { [HEADER.intakeKey]: _key, ...headers } = whole.headers ?? {};
  return { ...whole, value: Buffer.alloc(0), headers };
}
