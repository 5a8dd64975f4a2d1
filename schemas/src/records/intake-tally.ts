/**
 * Counts of intake records without a copy, per partition. It is the metadata of fan-out's committed offset: counts and
 * offset move in one step, so that nothing is counted twice or not at all, whatever crashes.
 */
import { z } from 'zod';

const intakeTally = z.object({
  /** The number of records that no subscription matched. */
  unmatched: z.int().min(0),
  /** The number of copies that were not made because a customer's content filter excluded the event. */
  filtered: z.int().min(0),
  /** The start of counting, in ms since the epoch. Counting starts again after another tool set the offsets. */
  sinceMs: z.number(),
});

export type IntakeTally = z.infer<typeof intakeTally>;

export function encodeIntakeTally(tally: IntakeTally): string {
  return JSON.stringify(tally);
}

/** @returns undefined for other metadata, which another tool or an earlier version wrote */
export function decodeIntakeTally(metadata: string): IntakeTally | undefined {
  try {
    return intakeTally.parse(JSON.parse(metadata));
  } catch {
    return undefined;
  }
}
