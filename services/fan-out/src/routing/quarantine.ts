/**
 * Intake records that cannot be read are set aside, as a whole and with the reason, so that they do not delay others.
 */
import { batchBytes } from '@databridge/kernel/kafka/kafkajs/produce-queue';
import type { ConsumedRecord, ProducedRecord } from '@databridge/kernel/kafka/records';
import { eventIdOf, HEADER, traceparentOf } from '@databridge/schemas/records/headers';
import type { QuarantineReason } from '@databridge/schemas/records/reasons';
import { MAX_MESSAGE_BYTES, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';

export interface Quarantined {
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly source: string;
}

/** Well below the space that topics have for headers. */
const MAX_DETAIL_CHARS = 1_000;

/**
 * The key is the source, so that a record that is quarantined twice is kept once. Its original key goes into a header:
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
    // The topic is compacted: null would delete the record.
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

/**
 * A record that cannot be written must not be tried forever: the reason and the source are kept, and the intake has the
 * bytes.
 */
function withoutBytes(whole: ProducedRecord): ProducedRecord {
  const { [HEADER.intakeKey]: _key, ...headers } = whole.headers ?? {};
  return { ...whole, value: Buffer.alloc(0), headers };
}
