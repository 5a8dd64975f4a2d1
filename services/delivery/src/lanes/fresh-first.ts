import type { OffsetTracker } from '@databridge/kernel/offsets/offset-tracker';

/** When a lane reads ahead of its backlog. */
export interface FreshFirstLimits {
  /** With more unread records than this before the end of the log, reading jumps there, and what it passed is backlog. */
  readonly jumpAtRecords: number;
  /**
   * Stretches of the log that were passed and are not read yet; with as many, nothing more is passed. It bounds the set of
   * offsets that are done ahead: together with what is in flight it fits the 4,096 characters of commit metadata.
   */
  readonly maxGaps: number;
  /** What has waited in memory for longer is backlog, too. */
  readonly freshForMs: number;
}

export const FRESH_FIRST_LIMITS: FreshFirstLimits = { jumpAtRecords: 1_000, maxGaps: 100, freshForMs: 60_000 };

/** How new events and backlog share what a customer may send. */
export interface FreshFirst {
  /** The part of deliveries that backlog and retries get while there are new events; undefined: all in order. */
  readonly backlogShare: () => number | undefined;
  readonly limits: FreshFirstLimits;
}

/** What decides where a lane reads on. */
export interface ReadingState {
  readonly tracker: Pick<OffsetTracker, 'position' | 'end' | 'gapCount'>;
  /** One past the last offset of the log, as of the last fetch. */
  readonly highWatermark: number;
  readonly freshHasRoom: boolean;
  readonly backlogHasRoom: boolean;
}

/**
 * Where a lane that delivers fresh events first reads on: at the end of the log while there is news, else at the front of
 * the backlog while there is room for it. Each answer, wherever it reads, tells whether there is news at the end.
 */
export function readsNextAt({ tracker, highWatermark, freshHasRoom, backlogHasRoom }: ReadingState): number {
  const { position, end, gapCount } = tracker;
  if (gapCount === 0) return end;
  if (!freshHasRoom) return position;
  return highWatermark > end || !backlogHasRoom ? end : position;
}
