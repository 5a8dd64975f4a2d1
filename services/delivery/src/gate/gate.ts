import type { EventEmitter } from 'node:events';
import type { Clock, Instant } from '@databridge/kernel/time/clock';
import type { HoldReason, WorkerStatus } from '@databridge/schemas/records/status';
import type { Outcome } from '../attempt/outcome.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { Breaker, type BreakerSettings, type BreakerState } from './breaker.ts';
import { Concurrency } from './concurrency.ts';
import { Connection, type HeldConnection } from './connection.ts';
import { RateLimit } from './rate-limit.ts';

/** Decides whether anything may be sent to a customer now. */
export type Permit =
  | { readonly kind: 'free' }
  /** One event is sent while nothing else is in flight; its outcome decides. */
  | { readonly kind: 'probe'; readonly because: ClosedBecause }
  /** Nothing is sent. `untilMs` is by the monotonic clock; undefined: an event will end the wait. */
  | { readonly kind: 'closed'; readonly untilMs: number | undefined; readonly because: ClosedBecause };

/** The reasons for which a customer is held, besides its rate. */
export type ClosedBecause = 'retry_after' | 'breaker' | HoldReason;

export interface GateOptions {
  readonly ratePerSecond: number | undefined;
  /** The longest wait in ms that a destination may ask for. */
  readonly maxWaitMs: number;
  readonly breaker: BreakerSettings;
  /** One timer for the windows of all breakers of a worker. */
  readonly breakerRotation: EventEmitter;
  readonly clock: Clock;
  /** Called when a part of the customer's status record changed. */
  readonly onChange: () => void;
}

export interface AttemptLoad {
  readonly durationMs: number;
  /** The customer's requests in flight, this one included. */
  readonly inFlight: number;
}

/** Statuses by which a destination, or a server before it, reports that it is overloaded. */
const OVERLOADED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const FREE: Permit = { kind: 'free' };
const PROBE_BREAKER: Permit = { kind: 'probe', because: 'breaker' };

/**
 * The reasons for which a customer is held, in the order of the checks: a wait that the destination requested, a failed
 * connection, an open breaker; and then the rate. All of them learn from the same outcomes.
 */
export class Gate {
  readonly rate: RateLimit;
  readonly concurrency = new Concurrency();
  readonly #connection = new Connection();
  readonly #breaker: Breaker;
  readonly #onChange: () => void;
  readonly #maxWaitMs: number;
  /** Monotonic time, as for all waits: setting a wall clock back must not hold any customer. */
  #waitUntilMs = Number.NEGATIVE_INFINITY;
  #lastSuccessAtMs: number | undefined;
  #failingSinceMs: number | undefined;

  constructor(options: GateOptions, monotonicMs: number) {
    this.rate = new RateLimit(options.ratePerSecond, monotonicMs);
    this.#onChange = options.onChange;
    this.#maxWaitMs = options.maxWaitMs;
    this.#breaker = new Breaker(options.breaker, options.breakerRotation, options.clock, (state) => {
      if (state === 'closed') this.concurrency.recover(options.clock.monotonicMs());
      options.onChange();
    });
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  get lastSuccessAtMs(): number | undefined {
    return this.#lastSuccessAtMs;
  }

  /** The wall-clock time of the destination's first failure since it last accepted an event. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs;
  }

  /** Continues from the status that an earlier owner of the customer wrote. */
  restore(status: WorkerStatus, now: Instant): void {
    this.#lastSuccessAtMs = status.lastSuccessAtMs;
    const { at, waitUntilMs = 0 } = status;
    // The wait is never longer than what was left when the record was written, nor than the maximum, whatever the
    // clocks of the two workers say.
    this.#waitUntilMs = now.monotonicMs + Math.min(waitUntilMs - now.wallMs, waitUntilMs - at, this.#maxWaitMs);
    if (status.held) {
      this.#connection.restore(status.held, now);
      this.#failingSinceMs = status.held.sinceMs;
    }
  }

  /** @returns the parts of the status record that concern the destination */
  status(now: Instant): Pick<WorkerStatus, 'breaker' | 'waitUntilMs' | 'held' | 'lastSuccessAtMs'> {
    const held = this.#connection.held;
    const waitMs = this.#waitUntilMs - now.monotonicMs;
    return {
      breaker: this.#breaker.state,
      ...(waitMs > 0 && { waitUntilMs: Math.ceil(now.wallMs + waitMs) }),
      ...(held && { held }),
      ...(this.#lastSuccessAtMs !== undefined && { lastSuccessAtMs: this.#lastSuccessAtMs }),
    };
  }

  /** Forgets what was learned about the previous address, because events are sent to another one. */
  forgetDestination(): void {
    this.#waitUntilMs = Number.NEGATIVE_INFINITY;
    this.#breaker.reset();
    this.rate.forgetDestination();
    this.#failingSinceMs = undefined;
    this.concurrency.forget();
    this.forgetConnection();
  }

  /**
   * Ends a hold, because the connection to the same address changed (credentials, client certificate, headers): it
   * counts as good until it fails. A wait that the destination asked for goes on, and so does its breaker.
   */
  forgetConnection(): void {
    this.#connection.reset();
    this.#onChange();
  }

  /** Ends all waits, because an operator enabled or resumed the customer. */
  enable(monotonicMs: number): void {
    this.#waitUntilMs = Number.NEGATIVE_INFINITY;
    this.concurrency.recover(monotonicMs);
    this.forgetConnection();
  }

  permit(monotonicMs: number): Permit {
    if (this.#waitUntilMs > monotonicMs) {
      return { kind: 'closed', untilMs: this.#waitUntilMs, because: 'retry_after' };
    }
    if (this.#connection.held) {
      if (this.#connection.probeAtMs <= monotonicMs) return { kind: 'probe', because: this.#connection.held.because };
      return { kind: 'closed', untilMs: this.#connection.probeAtMs, because: this.#connection.held.because };
    }
    if (this.#breaker.state === 'open') return { kind: 'closed', untilMs: undefined, because: 'breaker' };
    return this.#breaker.state === 'half-open' ? PROBE_BREAKER : FREE;
  }

  /** Returns whether a held connection rejected the record: if there is another record, that one is the probe. */
  isSuspect(record: BufferedRecord): boolean {
    return this.#connection.wasTurnedAway(record);
  }

  /**
   * @returns why the connection is held, if it has been held for at least `leastMs`: a day without success disables the
   *   customer
   */
  heldFor(leastMs: number, monotonicMs: number): HeldConnection | undefined {
    const heldForMs = this.#connection.heldForMs(monotonicMs);
    return heldForMs !== undefined && heldForMs >= leastMs ? this.#connection.held : undefined;
  }

  /**
   * Takes the outcome of an attempt into account.
   * @param load how long the attempt took, and how many requests were in flight
   * @returns what the outcome means for the event
   */
  recordOutcome(record: BufferedRecord, seen: Outcome, now: Instant, load: AttemptLoad): Outcome {
    const wasHeld = this.#connection.held !== undefined;
    const outcome = this.#connection.recordOutcome(record, seen, now);
    // A request that was not sent says nothing about the load.
    if (seen.kind !== 'blocked' && seen.kind !== 'internal') {
      const isUnanswered = seen.kind === 'retry' && seen.status === undefined;
      const isOverloaded = seen.kind === 'retry' && OVERLOADED.has(seen.status ?? 0);
      this.concurrency.recordAnswer({ isOverloaded, isUnanswered, durationMs: load.durationMs }, load.inFlight);
    }
    this.#breaker.recordOutcome(outcome, now.monotonicMs);
    if (outcome.kind === 'delivered') {
      this.#lastSuccessAtMs = now.wallMs;
      this.#failingSinceMs = undefined;
    } else if (outcome.kind !== 'refused' && outcome.kind !== 'internal') this.#failingSinceMs ??= now.wallMs;
    if (outcome.kind === 'retry' && outcome.retryAfterMs !== undefined) {
      this.#waitUntilMs = Math.max(this.#waitUntilMs, now.monotonicMs + outcome.retryAfterMs);
      this.#onChange();
    } else if (outcome.kind === 'retry' && outcome.status === 429) {
      this.rate.slowDown(now.monotonicMs);
    }
    if (wasHeld !== (this.#connection.held !== undefined)) {
      if (wasHeld) this.concurrency.recover(now.monotonicMs);
      this.#onChange();
    }
    return outcome;
  }

  stop(): void {
    this.#breaker.stop();
  }
}
