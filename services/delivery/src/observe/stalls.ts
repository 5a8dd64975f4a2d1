/** Why something that is due is not sent. */
export const STALL_REASONS = [
  /** The rate limit, stated or lowered by 429. */
  'rate',
  /** The subscription's `maxInFlight`. */
  'in_flight',
  'retry_after',
  'deauthorized',
  'refusals',
  'blocked',
  'breaker',
  /** The worker's lease is not held: the broker did not answer its last heartbeats. */
  'lease',
  /** Too much is delivered and not committed yet. */
  'uncommitted',
  /** The customer's share of the worker's requests or memory is used up. */
  'share',
  'registry',
  /** Its group is being joined, or Kafka does not take a retry or a dead letter. */
  'kafka',
] as const;
export type StallReason = (typeof STALL_REASONS)[number];

/** What the customer itself causes: its endpoint, its limits. The others are our own. */
const BY_CUSTOMER: ReadonlySet<StallReason> = new Set([
  ...(['rate', 'in_flight', 'retry_after', 'deauthorized', 'refusals', 'blocked', 'breaker'] as const),
]);

/** How long a customer was held back, and by what. All times are monotonic milliseconds. */
export class Stalls {
  readonly #ms = Object.fromEntries(STALL_REASONS.map((reason) => [reason, 0])) as Record<StallReason, number>;
  #now: { readonly reason: StallReason; readonly sinceMs: number } | undefined;
  #lastByCustomerMs = Number.NEGATIVE_INFINITY;

  /** From now on nothing is taken for this reason; undefined: nothing that is due waits. */
  note(reason: StallReason | undefined, nowMs: number): void {
    const now = this.#now;
    if (reason === now?.reason) return;
    if (now !== undefined) {
      this.#ms[now.reason] += Math.max(0, nowMs - now.sinceMs);
      if (BY_CUSTOMER.has(now.reason)) this.#lastByCustomerMs = nowMs;
    }
    this.#now = reason === undefined ? undefined : { reason, sinceMs: nowMs };
  }

  /** Whether the customer itself held something back since then. */
  wasHeldSince(sinceMs: number): boolean {
    return this.#lastByCustomerMs >= sinceMs || (this.#now !== undefined && BY_CUSTOMER.has(this.#now.reason));
  }

  /** What waits from before is the customer's own doing: it was paused or disabled until now. */
  noteResumed(nowMs: number): void {
    this.#lastByCustomerMs = nowMs;
  }

  seconds(reason: StallReason, nowMs: number): number {
    const running = this.#now?.reason === reason ? Math.max(0, nowMs - this.#now.sinceMs) : 0;
    return (this.#ms[reason] + running) / 1_000;
  }
}
