import { createHash } from 'node:crypto';
import { letterKeyOf } from '../../records/identity.ts';
import type { Message } from '../message.ts';

interface Attribute {
  DataType: 'String';
  StringValue: string;
}

/**
 * The values that HTTP destinations receive as headers. SNS can filter by them, and consumers read them without parsing
 * the body.
 */
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
 * FIFO: each event is a group of its own, since events have no order. A retry within five minutes has the same
 * deduplication id, so that AWS drops the second copy. AWS answers 200 for a dropped message, so every message that
 * must arrive needs an id of its own: another event with the same event id but another source, and an event that is
 * sent again on purpose, by a replay or by a rewind, which ends with a resuming.
 */
export function fifoFields(
  message: Pick<Message, 'eventId' | 'source' | 'replayId' | 'enableEpoch'>,
  isFifo: boolean,
): { MessageGroupId?: string; MessageDeduplicationId?: string } {
  if (!isFifo) return {};
  const { enableEpoch = 0 } = message;
  const id = enableEpoch === 0 ? letterKeyOf(message) : `${letterKeyOf(message)}/resumed-${enableEpoch}`;
  return { MessageGroupId: legalId(message.eventId), MessageDeduplicationId: legalId(id) };
}

/** AWS accepts 1 to 128 printable ASCII characters without blanks; any other id is sent as its hash. */
function legalId(id: string): string {
  return /^[\x21-\x7e]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('base64url');
}

/** The size as AWS counts it: the body and the names, types and values of the attributes, in UTF-8. */
export function sizeOf(message: Message): number {
  let bytes = message.body.length;
  for (const [name, { DataType, StringValue }] of Object.entries(messageAttributes(message))) {
    bytes += name.length + DataType.length + Buffer.byteLength(StringValue);
  }
  return bytes;
}
