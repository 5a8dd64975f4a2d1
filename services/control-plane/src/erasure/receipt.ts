/** What an erasure may claim: what is gone, what is still on disk and until when, and what is out of reach. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { customerOfTopic, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { FoundTopic } from './find-call.ts';

/** Bytes that Kafka still holds, and that nothing reads any more. */
export interface Remainder {
  readonly topic: string;
  readonly copies: number;
  /** When Kafka deletes them at the latest, by the topic's settings of today. Absent: it has no such limit. */
  readonly deletedByMs?: number;
}

export interface ErasureReceipt {
  /** Digest of the request id: its erasure is found by it in the audit log. */
  readonly request: string;
  readonly erasedAtMs: number;
  /** Distinct events, those of an earlier erasure of the same request id included. */
  readonly events: number;
  /** Whose topics held copies. */
  readonly customers: readonly string[];
  readonly deadLetters: number;
  readonly quarantined: number;
  readonly remainders: readonly Remainder[];
}

/** What a dry run answers. */
export type ErasurePlan = Pick<ErasureReceipt, 'events' | 'customers' | 'remainders'>;

export const customersOf = (topics: readonly FoundTopic[]): string[] =>
  [...new Set(topics.flatMap(({ topic }) => customerOfTopic(topic) ?? []))].sort();

/**
 * Kafka deletes a segment when its newest record is older than the retention, so a record may last as long as a segment
 * longer. Dead letters and quarantined records have a tombstone by then: compaction, which has no deadline, usually
 * removes them earlier.
 */
export async function remaindersOf(
  admin: Pick<KafkaAdmin, 'topicSettings'>,
  topics: readonly FoundTopic[],
): Promise<Remainder[]> {
  const settings = await admin.topicSettings(topics.map(({ topic }) => topic));
  return topics
    .map(({ topic, copies, newestAtMs }) => {
      const own = settings.get(topic) ?? {};
      const retentionMs = Number(own['retention.ms'] ?? Number.NaN);
      const segmentMs = Number(own['segment.ms'] ?? KAFKAS_SEGMENT_MS);
      const ends = retentionMs > 0 && (own['cleanup.policy'] ?? 'delete').includes('delete');
      return { topic, copies, ...(ends && { deletedByMs: newestAtMs + retentionMs + segmentMs }) };
    })
    .sort((one, other) => one.topic.localeCompare(other.topic));
}

/** Kafka's own default, of topics that say nothing themselves. */
const KAFKAS_SEGMENT_MS = 7 * 86_400_000;

export const isLetters = (topic: string): boolean => topic === QUARANTINE_TOPIC || topic.endsWith('.dead');
