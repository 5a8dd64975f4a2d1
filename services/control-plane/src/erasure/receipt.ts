/** What an erasure may claim: what is gone, what is still on disk and until when, and what is out of reach. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { customerOfTopic } from '@databridge/schemas/records/topics';
import type { Copy } from './copy.ts';

/** Why records stay until Kafka deletes them by age. */
export const KEPT_REASONS = [
  /** The topic belongs to the producers. */
  'intake',
  /** The topic also holds records of a version before unique keys: compaction could lose events that nobody erased. */
  'earlier-version',
  /** A record that waits has a copy behind it, or too many records wait: see waiting-forks.ts. */
  'copies-wait',
  /** Kafka refuses to change the settings of the topic. */
  'refused',
  /** Some replica of the topic was not compacted in time. */
  'time-out',
] as const;

export type KeptReason = (typeof KEPT_REASONS)[number];

/** Bytes that Kafka still holds, and that nothing of this service reads any more. */
export interface Remainder {
  readonly topic: string;
  readonly copies: number;
  /** When Kafka deletes them at the latest, by the topic's settings of today. Absent: it has no such limit. */
  readonly deletedByMs?: number;
  /** Absent in a plan. */
  readonly because?: KeptReason;
  /** Of an intake topic: the first of them, `<partition>/<offset>`, for whoever the topic belongs to. */
  readonly places?: readonly string[];
}

export interface ErasureReceipt {
  /** Digest of the request id: its erasure is found by it in the audit log. */
  readonly request: string;
  readonly erasedAtMs: number;
  /** What is older was not searched. */
  readonly fromMs?: number;
  /** Distinct events, those of an earlier erasure of the same request id included. */
  readonly events: number;
  /** Whose topics held copies. */
  readonly customers: readonly string[];
  readonly deadLetters: number;
  readonly quarantined: number;
  /** Records whose bytes were removed, the letters and quarantined ones included. */
  readonly removed: number;
  readonly remainders: readonly Remainder[];
}

/** What a dry run answers. */
export type ErasurePlan = Pick<ErasureReceipt, 'events' | 'customers' | 'remainders'>;

export const customersOf = (topics: readonly string[]): string[] =>
  [...new Set(topics.flatMap((topic) => customerOfTopic(topic) ?? []))].sort();

/** That many places of each topic are named. */
const MAX_PLACES = 100;

/**
 * Kafka deletes a segment when its newest record is older than the retention, so a record may last as long as a segment
 * longer.
 */
export async function remaindersOf(
  admin: Pick<KafkaAdmin, 'listTopics' | 'topicSettings'>,
  copies: ReadonlyMap<string, readonly Copy[]>,
  kept: ReadonlyMap<string, KeptReason> = new Map(),
): Promise<Remainder[]> {
  const existing = new Set(await admin.listTopics());
  const there = [...copies].filter(([topic]) => existing.has(topic));
  const settings = await admin.topicSettings(there.map(([topic]) => topic));
  return there
    .map(([topic, all]) => {
      const own = settings.get(topic) ?? {};
      const retentionMs = Number(own['retention.ms'] ?? Number.NaN);
      const segmentMs = Number(own['segment.ms'] ?? DEFAULT_SEGMENT_MS);
      const ends = retentionMs > 0 && (own['cleanup.policy'] ?? 'delete').includes('delete');
      const newestAtMs = all.reduce((newest, { timestampMs }) => Math.max(newest, timestampMs), 0);
      const because = kept.get(topic);
      const places = all.slice(0, MAX_PLACES).map(({ partition, offset }) => `${partition}/${offset}`);
      return {
        ...{ topic, copies: all.length, ...(ends && { deletedByMs: newestAtMs + retentionMs + segmentMs }) },
        ...(because !== undefined && { because }),
        ...(because === 'intake' && { places }),
      };
    })
    .sort((one, other) => one.topic.localeCompare(other.topic));
}

/** Kafka's own default, of topics that say nothing themselves. */
const DEFAULT_SEGMENT_MS = 7 * 86_400_000;
