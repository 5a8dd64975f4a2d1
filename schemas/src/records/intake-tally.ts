/**
 * What became of intake records that left no copy behind, counted per partition. It is the metadata of fan-out's committed
 * offset: counts and offset move in one step, so that nothing is counted twice or not at all, whatever crashes.
 */
import { z } from 'zod';

const intakeTally = z.object({
  /** Records that no subscription matched. */
  unmatched: z.int().min(0),
  /** Copies that were not made because a customer's content filter excluded the event. */
  filtered: z.int().min(0),
  /** When counting began, in ms since the epoch: anew after the offsets were set by another tool. */
  sinceMs: z.number(),
});

export type IntakeTally = z.infer<typeof intakeTally>;

export function encodeIntakeTally(tally: IntakeTally): string {
  return JSON.stringify(tally);
}

/** @returns undefined for other metadata, as another tool or an earlier version leaves it */
export function decodeIntakeTally(metadata: string): IntakeTally | undefined {
  try {
    return intakeTally.parse(JSON.parse(metadata));
  } catch {
    return undefined;
  }
}
