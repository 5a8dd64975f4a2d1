import type { Instant } from '@databridge/kernel/time/clock';
import type { HoldReason } from '@databridge/schemas/records/status';
import type { Outcome } from '../attempt/outcome.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';

/** This many refusals in a row without one success mean that the URL is wrong rather than the events. */
const MAX_REFUSALS_IN_A_ROW = 20;
const FIRST_PROBE_AFTER_MS = 1_000;
const LONGEST_PROBE_INTERVAL_MS = 60_000;

export interface HeldConnection {
  readonly because: HoldReason;
  /** Wall clock. */
  readonly sinceMs: number;
  readonly detail: string;
}

/**
 * Records whether the destination accepts our credentials and address. While it does not, the customer is held: only one
 * probe at a time is sent, and no event's attempt is used up.
 *
 *     ok ──deauthorized, blocked, or 20 refusals in a row──▶ held ──a probe succeeds──▶ ok
 *                                                             │ ▲
 *                                                             └─┘ a probe fails: wait twice as long, a minute at most
 *
 * A single event may be rejected by itself: a firewall that objects to its text answers 403, as a wrong key does. Such
 * an event fails again after another one succeeded: then it is refused, and the others are sent.
 */
export class Connection {
  #held: HeldConnection | undefined;
  #heldSinceMonotonicMs = 0;
  #probeAtMs = 0;
  #probeIntervalMs = FIRST_PROBE_AFTER_MS;
  #refusalsInARow = 0;
  #successes = 0;
  /** The records that were turned away, with the number of successes at that time. */
  readonly #turnedAway = new WeakMap<BufferedRecord, number>();

  get held(): HeldConnection | undefined {
    return this.#held;
  }

  /** When the next probe may be sent, by the monotonic clock; meaningful only while held. */
  get probeAtMs(): number {
    return this.#probeAtMs;
  }

  wasTurnedAway(record: BufferedRecord): boolean {
    return this.#turnedAway.has(record);
  }

  /** Continues the hold that an earlier owner of the customer found. */
  restore(held: HeldConnection, now: Instant): void {
    this.#held = held;
    this.#heldSinceMonotonicMs = now.monotonicMs - Math.max(0, now.wallMs - held.sinceMs);
    this.#probeAtMs = now.monotonicMs;
  }

  /** The time for which it has been held; undefined if it is not. A day without success disables the customer. */
  heldForMs(monotonicMs: number): number | undefined {
    return this.#held && monotonicMs - this.#heldSinceMonotonicMs;
  }

  /**
   * Ends the hold, because the subscription changed or the customer was enabled: the connection counts as good until it
   * fails.
   */
  reset(): void {
    this.#held = undefined;
    this.#refusalsInARow = 0;
    this.#probeIntervalMs = FIRST_PROBE_AFTER_MS;
  }

  /**
   * Takes the outcome of an attempt into account.
   * @returns what the attempt means for its event: a refusal while held is the connection's fault; if an event alone is
   *   turned away for the second time, it is the event's
   */
  recordOutcome(record: BufferedRecord, outcome: Outcome, now: Instant): Outcome {
    switch (outcome.kind) {
      case 'delivered':
        this.#successes++;
        this.reset();
        return outcome;
      case 'deauthorized':
        if (this.#wasOvertaken(record)) return { ...outcome, kind: 'refused' };
        this.#turnAway(record, 'deauthorized', outcome.reason, now);
        return outcome;
      case 'blocked':
        // Even if other events were delivered since: the name may resolve to different addresses, whatever the event.
        this.#hold('blocked', outcome.reason, now);
        return outcome;
      case 'refused':
        this.#refusalsInARow++;
        if (this.#wasOvertaken(record)) return outcome;
        if (this.#held === undefined && this.#refusalsInARow < MAX_REFUSALS_IN_A_ROW) return outcome;
        this.#turnAway(record, 'refusals', outcome.reason, now);
        return { ...outcome, kind: 'deauthorized' };
      case 'retry':
      case 'gone':
      case 'internal':
        if (this.#held) this.#waitForNextProbe(now.monotonicMs);
        return outcome;
    }
  }

  #wasOvertaken(record: BufferedRecord): boolean {
    const successesThen = this.#turnedAway.get(record);
    return successesThen !== undefined && this.#successes > successesThen;
  }

  #turnAway(record: BufferedRecord, because: HeldConnection['because'], detail: string, now: Instant): void {
    this.#turnedAway.set(record, this.#successes);
    this.#hold(because, detail, now);
  }

  #hold(because: HeldConnection['because'], detail: string, now: Instant): void {
    if (this.#held === undefined) {
      this.#held = { because, sinceMs: now.wallMs, detail };
      this.#heldSinceMonotonicMs = now.monotonicMs;
    }
    this.#waitForNextProbe(now.monotonicMs);
  }

  #waitForNextProbe(monotonicMs: number): void {
    // The answers of requests that were in flight at the same time count as one failed probe.
    if (this.#probeAtMs > monotonicMs) return;
    this.#probeAtMs = monotonicMs + this.#probeIntervalMs;
    this.#probeIntervalMs = Math.min(this.#probeIntervalMs * 2, LONGEST_PROBE_INTERVAL_MS);
  }
}
