import { createHash } from 'node:crypto';
import type { Message } from '../destination.ts';

interface Attribute {
  DataType: 'String';
  StringValue: string;
}

/** What HTTP says in headers: SNS can filter by them, consumers read them without opening the body. */
export function messageAttributes(message: Message): Record<string, Attribute> {
  return Object.fromEntries(
    Object.entries({
      'event-id': message.eventId,
      'event-type': message.eventType,
      'schema-version': message.schemaVersion,
      attempt: String(message.attempt),
      ...(message.traceparent !== undefined && { traceparent: message.traceparent }),
    }).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );
}

/**
 * FIFO: each event is a group of its own, since events carry no order, and is recognised by its id when a retry
 * brings it twice within five minutes. An id that AWS would not take goes as its hash.
 */
export function fifoFields(
  eventId: string,
  isFifo: boolean,
): { MessageGroupId?: string; MessageDeduplicationId?: string } {
  if (!isFifo) return {};
  const isLegal = /^[\x21-\x7e]{1,128}$/.test(eventId) && !/[\s]/.test(eventId);
  const id = isLegal ? eventId : createHash('sha256').update(eventId).digest('base64url');
  return { MessageGroupId: id, MessageDeduplicationId: id };
}

/** As AWS counts: the body and the names, types and values of the attributes, in UTF-8. */
export function sizeOf(message: Message): number {
  let bytes = Buffer.byteLength(message.body);
  for (const [name, { DataType, StringValue }] of Object.entries(messageAttributes(message))) {
    bytes += name.length + DataType.length + Buffer.byteLength(StringValue);
  }
  return bytes;
}
