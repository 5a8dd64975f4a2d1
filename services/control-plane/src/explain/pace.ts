import type { Attempt } from '@databridge/schemas/records/attempts';

/** The recent durations of a customer's attempts. */
export interface Pace {
  readonly deliveredPerSecond: number;
  /** From the start of an attempt to its failure, on average; 0 if none failed. */
  readonly failedAfterMs: number;
  /** From one attempt to the next; undefined: fewer than two attempts are known. */
  readonly everyMs: number | undefined;
  readonly lastAtMs: number | undefined;
}

/** @param attempts of the last minutes, in any order */
export function paceOf(attempts: readonly Attempt[], nowMs: number): Pace {
  const made = attempts.filter(({ outcome, test }) => outcome !== 'skipped' && test !== true);
  const starts = made.map(({ at }) => at).sort((one, other) => one - other);
  const failed = made.filter(({ outcome }) => outcome !== 'delivered');
  const delivered = made.filter(({ outcome }) => outcome === 'delivered');
  const firstDeliveryAtMs = Math.min(...delivered.map(({ at }) => at));
  const [first, last] = [starts[0], starts.at(-1)];
  return {
    // From the first delivery on: attempts before an endpoint recovered say nothing about its rate.
    deliveredPerSecond:
      delivered.length === 0 ? 0 : delivered.length / Math.max(1, (nowMs - firstDeliveryAtMs) / 1_000),
    failedAfterMs:
      failed.length === 0 ? 0 : failed.reduce((sum, { durationMs }) => sum + durationMs, 0) / failed.length,
    everyMs:
      first === undefined || last === undefined || last === first ? undefined : (last - first) / (starts.length - 1),
    lastAtMs: last,
  };
}
