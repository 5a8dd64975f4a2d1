/** Why a due record is not sent. */
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
  /** Too many deliveries are finished and not committed yet. */
  'uncommitted',
  /** The customer's share of the worker's requests or memory is used up. */
  'share',
  'registry',
  /** The customer's group is being joined, or Kafka does not accept a retry or a dead letter. */
  'kafka',
] as const;
export type StallReason = (typeof STALL_REASONS)[number];

/** The reasons that the customer itself causes, by its endpoint or its limits. The others are our own. */
const BY_CUSTOMER: ReadonlySet<StallReason> = new Set([
  ...(['rate', 'in_flight', 'retry_after', 'deauthorized', 'refusals', 'blocked', 'breaker'] as const),
]);

/** Measures how long a customer was held back, and by which reason. All times are monotonic milliseconds. */
export class Stalls {
  readonly #ms = Object.fromEntries(STALL_REASONS.map((reason) => [reason, 0])) as Record<StallReason, number>;
  #now: { readonly reason: StallReason; readonly sinceMs: number } | undefined;
  #lastByCustomerMs = Number.NEGATIVE_INFINITY;

  /** From now on, no record is taken for this reason; undefined: no due record waits. */
  note(reason: StallReason | undefined, nowMs: number): void {
    const now = this.#now;
    if (reason === now?.reason) return;
    if (now !== undefined) {
      this.#ms[now.reason] += Math.max(0, nowMs - now.sinceMs);
      if (BY_CUSTOMER.has(now.reason)) this.#lastByCustomerMs = nowMs;
    }
    this.#now = reason === undefined ? undefined : { reason, sinceMs: nowMs };
  }

  /** Returns whether the customer itself caused a wait since then. */
  wasStalledSince(sinceMs: number): boolean {
    return this.#lastByCustomerMs >= sinceMs || (this.#now !== undefined && BY_CUSTOMER.has(this.#now.reason));
  }

  /** Notes that the customer was paused or disabled until now: it caused the wait of all earlier records itself. */
  noteResumed(nowMs: number): void {
    this.#lastByCustomerMs = nowMs;
  }

  seconds(reason: StallReason, nowMs: number): number {
    const running = this.#now?.reason === reason ? Math.max(0, nowMs - this.#now.sinceMs) : 0;
    return (this.#ms[reason] + running) / 1_000;
  }
}
