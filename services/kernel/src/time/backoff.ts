/** All values in ms. The cap doubles with each failure in a row, from the first to the longest. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** The backoff of requests to Kafka. */
export const KAFKA_BACKOFF: BackoffLimits = { firstMs: 100, longestMs: 5_000 };

/**
 * The delay before the next try, with full jitter: any delay up to the cap is equally likely, so that clients that
 * failed at the same time do not retry at the same time.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param failures the number of failures in a row, 1 or more
 * @param random from 0 to 1, as `Math.random` returns it
 * @returns ms, at least 1
 */
export function backoffMs(failures: number, { firstMs, longestMs }: BackoffLimits, random = Math.random): number {
  const capMs = Math.min(firstMs * 2 ** (failures - 1), longestMs);
  return Math.max(1, Math.round(capMs * random()));
}

/** The delays of one loop: they grow with each failure in a row, and start from the first after a success. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #failures = 0;

  /** @param random from 0 to 1, as `Math.random` returns it */
  constructor(limits: BackoffLimits, random = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** The number of failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure. @returns the delay before the next try, in ms */
  next(): number {
    this.#failures++;
    return backoffMs(this.#failures, this.#limits, this.#random);
  }

  reset(): void {
    this.#failures = 0;
  }
}
