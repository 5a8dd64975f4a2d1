import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, type RecordPlace } from '@databridge/schemas/records/identity';
import { ATTEMPTS_TOPIC, customerOfTopic, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';

/** A record that holds an event of the call, or attempts at it. */
export interface Copy extends RecordPlace {
  readonly key: Buffer | null;
  /** `eventDigest` of its event; empty in the attempt log. */
  readonly digest: string;
  readonly replayId?: string;
  /** Of a record of the attempt log: what is left of it without the attempts at the call; null, as of others: nothing. */
  readonly rest?: string | null;
  /** False: an earlier version wrote it. */
  readonly hasOwnKey: boolean;
  /** When the broker took it, ms since the epoch. */
  readonly timestampMs: number;
}

/** Topics of letters are compacted at any time; the keys of their records are those of events. */
export const isLetters = (topic: string): boolean => topic === QUARANTINE_TOPIC || topic.endsWith('.dead');

/** A customer's main or retry lane. */
export const isLane = (topic: string): boolean => customerOfTopic(topic) !== undefined && !topic.endsWith('.dead');

export const isAttempts = (topic: string): boolean => topic === ATTEMPTS_TOPIC;

/** Whether the key of a lane's record is made of the record itself (`copyKeyOf`), as no earlier version made it. */
export function hasOwnKey(topic: string, { key, headers }: Pick<ConsumedRecord, 'key' | 'headers'>): boolean {
  if (!isLane(topic)) return true;
  const facts = readDeliveryHeaders(headers);
  return facts.source !== undefined && key?.toString('utf8') === copyKeyOf(facts);
}
