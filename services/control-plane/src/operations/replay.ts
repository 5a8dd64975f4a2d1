import type { ConsumedRecord, ProducedRecord } from '@databridge/kernel/kafka/records';
import { readDeliveryHeaders, writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { deliveryTopic } from '@databridge/schemas/records/topics';

/** The event as if it came from fan-out once more: the same id and bytes, no attempt counted, and whose replay it is. */
export function replayOf(customer: string, record: ConsumedRecord, replayId: string): ProducedRecord {
  const { eventId, eventType, source, traceparent } = readDeliveryHeaders(record.headers);
  const headers = writeDeliveryHeaders({
    eventId,
    eventType,
    attempt: 0,
    replayId,
    ...(source !== undefined && { source }),
    ...(traceparent !== undefined && { traceparent }),
  });
  return { topic: deliveryTopic(customer), key: eventId, value: record.value, headers };
}
