import type { EventEmitter } from 'node:events';
import type { Clock, Instant } from '@databridge/kernel/time/clock';
import type { HoldReason, WorkerStatus } from '@databridge/schemas/records/status';
import type { Outcome } from '../attempt/outcome.ts';
import type { HeldRecord } from '../lanes/held-records.ts';
import { Breaker, type BreakerSettings, type BreakerState } from './breaker.ts';
import { Concurrency } from './concurrency.ts';
import { Connection, type HeldConnection } from './connection.ts';
import { RateLimit } from './rate-limit.ts';

/** Whether anything may be sent to a customer now. */
export type Permit =
  | { readonly kind: 'free' }
  /** One event is sent while nothing else is in flight; its outcome decides. */
  | { readonly kind: 'probe'; readonly because: ClosedBecause }
  /** Nothing. `untilMs` by the monotonic clock; undefined: an event will say. */
  | { readonly kind: 'closed'; readonly untilMs: number | undefined; readonly because: ClosedBecause };

/** What holds a customer back, beside its rate. */
export type ClosedBecause = 'retry_after' | 'breaker' | HoldReason;

export interface GateOptions {
  readonly ratePerSecond: number | undefined;
  /** The longest wait that a destination may ask for. */
  readonly maxWaitMs: number;
  readonly breaker: BreakerSettings;
  /** One timer for the windows of all breakers of a worker. */
  readonly breakerRotation: EventEmitter;
  readonly clock: Clock;
  /** Something changed that belongs into the customer's status. */
  readonly onChange: () => void;
}

export interface AttemptLoad {
  readonly durationMs: number;
  /** Requests of the customer, this one among them. */
  readonly inFlight: number;
}

/** Statuses by which a destination, or a server before it, says that it is overloaded. */
const OVERLOADED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const FREE: Permit = { kind: 'free' };
const PROBE_BREAKER: Permit = { kind: 'probe', because: 'breaker' };

/**
 * What holds a customer back, in the order in which it is asked: a wait that the destination requested, a connection
 * in trouble, an open breaker; and then the rate. Each learns from the same outcomes.
 */
export class Gate {
  readonly rate: RateLimit;
  readonly concurrency = new Concurrency();
  readonly #connection = new Connection();
  readonly #breaker: Breaker;
  readonly #onChange: () => void;
  readonly #maxWaitMs: number;
  /** By the monotonic clock, as all waits: a wall clock that is set back must not hold anybody. */
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

  /** The first failure of the destination since it last accepted anything, by the wall clock. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs;
  }

  /** Takes up what an earlier owner of the customer found. */
  restore(status: WorkerStatus, now: Instant): void {
    this.#lastSuccessAtMs = status.lastSuccessAtMs;
    const { at, waitUntilMs = 0 } = status;
    // Whatever the two workers' clocks say: never longer than was left when it was written, nor than one may ask for.
    this.#waitUntilMs = now.monotonicMs + Math.min(waitUntilMs - now.wallMs, waitUntilMs - at, this.#maxWaitMs);
    if (status.held) {
      this.#connection.restore(status.held, now);
      this.#failingSinceMs = status.held.sinceMs;
    }
  }

  /** The customer's side of the status record. */
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

  /** Events go to another address: what was found out about the one before no longer holds. */
  forgetDestination(): void {
    this.#waitUntilMs = Number.NEGATIVE_INFINITY;
    this.#breaker.reset();
    this.rate.forgetDestination();
    this.#failingSinceMs = undefined;
    this.concurrency.forget();
    this.forgetConnection();
  }

  /**
   * The same address by another connection (credentials, client certificate, headers), which is good until it proves
   * otherwise. A wait that the destination asked for goes on, and so does its breaker.
   */
  forgetConnection(): void {
    this.#connection.reset();
    this.#onChange();
  }

  /** An operator enabled or resumed the customer: nothing is waited for any more. */
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

  /** A held connection is probed with another event than the ones that it turned away, if there is one. */
  isSuspect(record: HeldRecord): boolean {
    return this.#connection.wasTurnedAway(record);
  }

  /** Why the connection is held, if it has been for so long: a day without success disables the customer. */
  heldFor(leastMs: number, monotonicMs: number): HeldConnection | undefined {
    const heldForMs = this.#connection.heldForMs(monotonicMs);
    return heldForMs !== undefined && heldForMs >= leastMs ? this.#connection.held : undefined;
  }

  /**
   * Learns from an attempt.
   * @param load how long it took, and how many requests were in flight
   * @returns what it means for the event
   */
  recordOutcome(record: HeldRecord, seen: Outcome, now: Instant, load: AttemptLoad): Outcome {
    const wasHeld = this.#connection.held !== undefined;
    const outcome = this.#connection.recordOutcome(record, seen, now);
    // Of what was not sent, nothing is learned.
    if (seen.kind !== 'blocked' && seen.kind !== 'internal') {
      const isOverloaded = seen.kind === 'retry' && OVERLOADED.has(seen.status ?? 0);
      this.concurrency.recordAnswer({ isOverloaded, durationMs: load.durationMs }, load.inFlight);
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
