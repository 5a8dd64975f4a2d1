/**
 * The identity of an event in our own books: its source, which is the intake topic, partition and offset that it was
 * read from. The event id is for receivers; producers may repeat it, so the event id alone never makes the service
 * drop, overwrite or merge an event.
 */
import { type DeliveryHeaders, formatSource } from './headers.ts';

/** The position of a record in a topic. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface Named {
  readonly eventId: string;
  readonly source?: string | undefined;
}

/**
 * Fan-out did not write a record without a `source` header. Its source is then its own position, and so is its event id
 * if it has none: two such records never count as one event, and their dead letters never overwrite each other.
 */
export function identified<Facts extends DeliveryHeaders>(
  facts: Facts,
  { topic, partition, offset }: RecordPlace,
): Facts {
  if (facts.eventId !== '' && facts.source !== undefined) return facts;
  const here = formatSource(topic, partition, offset);
  return { ...facts, eventId: facts.eventId || here, source: facts.source ?? here };
}

/**
 * The key is the same for all records of one event, whether copies, retries, replays or dead letters. The event id is
 * part of it, because an intake topic that is deleted and created again starts its offsets at 0 again.
 */
export function eventKeyOf({ eventId, source }: Named): string {
  return source === undefined ? eventId : `${eventId}@${source}`;
}

/** The key of an event's dead letter, and its deduplication id: one for the original, and one for each of its replays. */
export function letterKeyOf(facts: Named & { readonly replayId?: string | undefined }): string {
  return facts.replayId === undefined ? eventKeyOf(facts) : `${eventKeyOf(facts)}/${facts.replayId}`;
}

/**
 * The key is the same for two copies of one record, which a crash between a write and a commit may leave; it differs
 * for a record and its successor in the chain of retries. The enable epoch is part of it: resuming counts attempts from
 * 1 again, so without the epoch a retry that is read before its predecessor is done would count as a copy of it, and be
 * lost.
 *
 * It is also the key of the record in a delivery or retry topic: a tombstone of this key removes this record and its
 * copies, and no other one (docs/decisions/erasure.md).
 */
export function copyKeyOf(facts: DeliveryHeaders): string {
  return `${facts.attempt} ${facts.enableEpoch ?? 0} ${letterKeyOf(facts)}`;
}
