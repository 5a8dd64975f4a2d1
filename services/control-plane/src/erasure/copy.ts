import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, type RecordPlace } from '@databridge/schemas/records/identity';
import { ATTEMPTS_TOPIC, customerOfTopic, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';

/** A record that contains an event of the call, or attempts at it. */
export interface Copy extends RecordPlace {
  readonly key: Buffer | null;
  /** The `eventDigest` of its event; empty in the attempt log. */
  readonly digest: string;
  readonly replayId?: string;
  /** For the attempt log: the record without the attempts at the call; null, as in other topics: nothing remains. */
  readonly rest?: string | null;
  /** False: an earlier version wrote the record. */
  readonly hasOwnKey: boolean;
  /** The time at which the broker took it, in ms since the epoch. */
  readonly timestampMs: number;
}

/** Topics of letters are compacted at any time; their records have the event's key. */
export const isLetters = (topic: string): boolean => topic === QUARANTINE_TOPIC || topic.endsWith('.dead');

/** Tells whether the topic is a customer's main or retry lane. */
export const isLane = (topic: string): boolean => customerOfTopic(topic) !== undefined && !topic.endsWith('.dead');

export const isAttempts = (topic: string): boolean => topic === ATTEMPTS_TOPIC;

/** False if it is a lane's record of an earlier version, whose key is not made of the record itself (`copyKeyOf`). */
export function hasOwnKey(topic: string, { key, headers }: Pick<ConsumedRecord, 'key' | 'headers'>): boolean {
  if (!isLane(topic)) return true;
  const facts = readDeliveryHeaders(headers);
  return facts.source !== undefined && key?.toString('utf8') === copyKeyOf(facts);
}
