/**
 * Computes when a record of a lane is due, by the monotonic clock: its lane's delay after it was written. The delay is
 * chosen by the retry plan (schemas/src/retries). The wait is never longer than the delay, so that setting a wall clock
 * back delays no record.
 * @param delayMs of the lane; 0 for the main lane
 * @param ageMs the time since the record was written, by the wall clock
 */
export function dueAt(delayMs: number, ageMs: number, monotonicMs: number): number {
  return monotonicMs + Math.min(Math.max(delayMs - ageMs, 0), delayMs);
}
