import type { ConsumedRecord, ProducedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import { readDeliveryHeaders, writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, identified } from '@databridge/schemas/records/identity';
import { deliveryTopic } from '@databridge/schemas/records/topics';

/**
 * A copy of the event for the main lane: the same event id, source and bytes, no counted attempts, and the replay's id.
 * @param at the partition that contains the record
 */
export function replayOf(
  customer: string,
  record: ConsumedRecord,
  { topic, partition }: TopicPartition,
  replayId: string,
): ProducedRecord {
  const facts = identified(readDeliveryHeaders(record.headers), { topic, partition, offset: record.offset });
  const { eventId, eventType, source, traceparent } = facts;
  const copy = {
    eventId,
    eventType,
    attempt: 0,
    replayId,
    ...(source !== undefined && { source }),
    ...(traceparent !== undefined && { traceparent }),
  };
  const headers = writeDeliveryHeaders(copy);
  return { topic: deliveryTopic(customer), key: copyKeyOf(copy), value: record.value, headers };
}
