import type { KafkaMessage } from 'kafkajs';
import type { ConsumedRecord, RecordHeaders } from '../records.ts';
import { ExcessHeaders } from './patches/header-patch.ts';
import { OversizedBatch } from './record-batches.ts';

interface ClientMessage extends Pick<KafkaMessage, 'offset' | 'timestamp' | 'key' | 'value'> {
  readonly headers?: object;
}

/**
 * Converts a message that kafkajs decoded to a record of the port.
 * @throws {Error} for a batch that was too large to be decompressed. Continuing without it would lose its records; only
 *   callers that can set it aside use {@link toRecordOrMark}.
 */
export function toRecord(message: ClientMessage): ConsumedRecord {
  const record = toRecordOrMark(message);
  if (record.oversizedBatch === undefined) return record;
  const { firstOffset, lastOffset, maxBytes } = record.oversizedBatch;
  throw new Error(
    `the record batch of offsets ${firstOffset} to ${lastOffset} is larger than ${maxBytes} bytes when it is decompressed`,
  );
}

export function toRecordOrMark(message: ClientMessage): ConsumedRecord {
  const { key, value, headers = {} } = message;
  const offset = Number(message.offset);
  const timestampMs = Number(message.timestamp);
  if (headers instanceof OversizedBatch) {
    return { offset, timestampMs, key, value, headers: {}, oversizedBatch: headers.facts };
  }
  if (headers instanceof ExcessHeaders) {
    const { count, bytes } = headers;
    return { offset, timestampMs, key, value, headers: {}, excessHeaders: { count, bytes } };
  }
  return { offset, timestampMs, key, value, headers: headers as RecordHeaders };
}
