import type { KafkaMessage } from 'kafkajs';
import type { ConsumedRecord, RecordHeaders } from '../records.ts';
import { ExcessHeaders } from './header-patch.ts';

/** A message as kafkajs decoded it, in the port's words. */
export function toRecord(
  message: Pick<KafkaMessage, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'>,
): ConsumedRecord {
  const { offset, timestamp, key, value } = message;
  const headers: RecordHeaders | ExcessHeaders = message.headers ?? {};
  const record = { offset: Number(offset), timestampMs: Number(timestamp), key, value };
  if (!(headers instanceof ExcessHeaders)) return { ...record, headers };
  return { ...record, headers: {}, excessHeaders: { count: headers.count, bytes: headers.bytes } };
}
