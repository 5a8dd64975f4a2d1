import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { decodeIntakeTally, type IntakeTally } from '@databridge/schemas/records/intake-tally';
import { FAN_OUT_GROUP } from '@databridge/schemas/records/topics';

/** The sums over all partitions, since the first of them was counted; absent if nothing is committed yet. */
export type IntakeAnswer = Omit<IntakeTally, 'sinceMs'> & Partial<Pick<IntakeTally, 'sinceMs'>>;

/** The intake records that are in no customer's books: the counts in fan-out's committed offsets. */
export async function readIntakeTally(admin: Pick<KafkaAdmin, 'committedOffsets'>): Promise<IntakeAnswer> {
  const commits = await admin.committedOffsets(FAN_OUT_GROUP);
  const tallies = commits.flatMap(({ metadata }) => decodeIntakeTally(metadata) ?? []);
  const unmatched = tallies.reduce((sum, one) => sum + one.unmatched, 0);
  const filtered = tallies.reduce((sum, one) => sum + one.filtered, 0);
  if (tallies.length === 0) return { unmatched, filtered };
  return { unmatched, filtered, sinceMs: Math.min(...tallies.map(({ sinceMs }) => sinceMs)) };
}
