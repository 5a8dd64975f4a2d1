/**
 * Divides a budget among customers that want more than there is: each gets what it wants up to one level, which is
 * the highest that fits ("max-min fairness"). A customer that wants less than the level loses nothing to others.
 * @returns the level; infinity if all of it fits
 */
export function fairLevel(wanted: Iterable<number>, budget: number): number {
  const sorted = [...wanted].toSorted((a, b) => a - b);
  let left = budget;
  for (const [index, want] of sorted.entries()) {
    const share = left / (sorted.length - index);
    if (want > share) return Math.max(share, 0);
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
}
