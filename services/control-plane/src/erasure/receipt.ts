/** The claims of a receipt: bytes that are gone, bytes still on disk and until when, and records out of reach. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { customerOfTopic } from '@databridge/schemas/records/topics';
import type { Copy } from './copy.ts';

/** Reasons why records stay until Kafka deletes them by age. */
export const KEPT_REASONS = [
  /** The topic belongs to the producers. */
  'intake',
  /** The topic also has records from before unique keys: compaction could lose events that nobody erased. */
  'earlier-version',
  /** A waiting record has a copy behind it, or too many records wait: see lane-danger.ts. */
  'copies-wait',
  /** Kafka refuses to change the settings of the topic. */
  'refused',
  /** Some replica of the topic was not compacted in time. */
  'time-out',
] as const;

export type KeptReason = (typeof KEPT_REASONS)[number];

/** Records whose bytes Kafka still contains, although no part of this service reads them. */
export interface Remainder {
  readonly topic: string;
  readonly copies: number;
  /** The latest time at which Kafka deletes them, by the topic's current settings. Absent: there is no such limit. */
  readonly deletedByMs?: number;
  /** The reason why they stay; absent in a plan. */
  readonly because?: KeptReason;
  /** For the owner of an intake topic: the first of these records, as `<partition>/<offset>`. */
  readonly places?: readonly string[];
}

export interface ErasureReceipt {
  /** The digest of the request id, by which the audit log names the erasure. */
  readonly request: string;
  readonly erasedAtMs: number;
  /** Older records were not searched. */
  readonly fromMs?: number;
  /** Distinct events, those of an earlier erasure of the same request id included. */
  readonly events: number;
  /** Customers whose topics held copies. */
  readonly customers: readonly string[];
  readonly deadLetters: number;
  readonly quarantined: number;
  /** Records whose bytes were removed, letters and quarantined records included. */
  readonly removed: number;
  readonly remainders: readonly Remainder[];
}

/** The answer to a dry run. */
export type ErasurePlan = Pick<ErasureReceipt, 'events' | 'customers' | 'remainders'>;

export const customersOf = (topics: readonly string[]): string[] =>
  [...new Set(topics.flatMap((topic) => customerOfTopic(topic) ?? []))].sort();

/** The receipt names at most this many places per topic. */
const MAX_PLACES = 100;

/**
 * Kafka deletes a segment when its newest record is older than the retention, so a record may be kept for up to
 * `segment.ms` longer.
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

/** Kafka's own default, for topics without a setting. */
const DEFAULT_SEGMENT_MS = 7 * 86_400_000;
