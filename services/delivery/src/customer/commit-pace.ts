/** Commits per second that a worker makes for all its customers together, until the interval is at its longest. */
const COMMITS_PER_SECOND = 500;

/**
 * Computes the delay for which finished offsets are batched before they are committed. The interval grows with the number
 * of customers that have something to commit: 1,000 busy customers at 200 ms would be 5,000 commits per second.
 */
export class CommitPace {
  readonly #shortestMs: number;
  readonly #longestMs: number;
  #busy = 0;

  /** @param longestMs the upper bound; if it is below `shortestMs`, it takes precedence */
  constructor(shortestMs: number, longestMs: number) {
    this.#shortestMs = shortestMs;
    this.#longestMs = Math.max(shortestMs, longestMs);
  }

  get intervalMs(): number {
    const neededMs = (this.#busy * 1_000) / COMMITS_PER_SECOND;
    return Math.min(Math.max(neededMs, this.#shortestMs), this.#longestMs);
  }

  /** Called when a customer has offsets to commit. */
  enter(): void {
    this.#busy++;
  }

  leave(): void {
    this.#busy--;
  }
}
