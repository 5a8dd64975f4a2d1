import type { OffsetTracker } from '@databridge/kernel/offsets/offset-tracker';

/** When a lane reads ahead of its backlog. */
export interface FreshFirstLimits {
  /** With more unread records than this before the end of the log, reading jumps there, and what it passed is backlog. */
  readonly jumpAtRecords: number;
  /**
   * The limit of stretches of the log that were passed over and are not read yet; at this number, nothing more is
   * passed over. It bounds the set of offsets that are done ahead: together with those in flight, it fits the 4,096
   * characters of commit metadata.
   */
  readonly maxGaps: number;
  /** A record that has waited in memory for longer is backlog, too. */
  readonly freshForMs: number;
}

export const FRESH_FIRST_LIMITS: FreshFirstLimits = { jumpAtRecords: 1_000, maxGaps: 100, freshForMs: 60_000 };

/** Divides the rate of a customer between new events and backlog. */
export interface FreshFirst {
  /**
   * The share of deliveries that backlog and retries get while there are new events; undefined: everything is sent in
   * order.
   */
  readonly backlogShare: () => number | undefined;
  readonly limits: FreshFirstLimits;
}

/** The facts that decide where a lane reads next. */
export interface ReadingState {
  readonly tracker: Pick<OffsetTracker, 'position' | 'end' | 'gapCount'>;
  /** One past the last offset of the log, as of the last fetch. */
  readonly highWatermark: number;
  readonly freshHasRoom: boolean;
  readonly backlogHasRoom: boolean;
}

/**
 * Decides where a lane that delivers fresh events first reads next: at the end of the log while there are new records,
 * otherwise at the front of the backlog while there is room for it. Each answer, wherever it reads, tells whether there
 * are new records at the end.
 */
export function readsNextAt({ tracker, highWatermark, freshHasRoom, backlogHasRoom }: ReadingState): number {
  const { position, end, gapCount } = tracker;
  if (gapCount === 0) return end;
  if (!freshHasRoom) return position;
  return highWatermark > end || !backlogHasRoom ? end : position;
}
