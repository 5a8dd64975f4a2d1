import type { EventEmitter } from 'node:events';
import type { Clock, Timer } from '@databridge/kernel/time/clock';
import CircuitBreaker from 'opossum';
import type { Outcome } from '../attempt/outcome.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerSettings {
  /** The time that an open breaker waits before it probes. */
  readonly resetAfterMs: number;
  /** The least number of attempts within the window before their failures can open it. */
  readonly minAttempts: number;
  readonly failurePercentage: number;
  readonly windowMs: number;
}

/**
 * One customer's circuit breaker, by opossum.
 *
 *     closed ──more than failurePercentage of the window failed──▶ open ──resetAfterMs──▶ half-open
 *        ▲                                                          ▲                        │
 *        └─────────────────────── a success ────────────────────────┼────────────────────────┤
 *                                                                   └────── a failure ───────┘
 *
 * It is informed of the outcome of an attempt instead of being wrapped around it. So opossum's own time-out, which frees the slot
 * while the action still runs, has no part in it; nor has its own timer of an open circuit, which no test could move: the
 * clock says when a probe may go. And refusals of single events are not shown to it at all, where
 * its error filter would count them as successes.
 */
export class Breaker {
  readonly #settings: BreakerSettings;
  readonly #rotation: EventEmitter;
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  /** Created at the first failure: most customers never fail, and it takes 7 KiB. */
  #circuit: Circuit | undefined;
  /** The timer that runs while the breaker is open. */
  #reset: Timer | undefined;
  #lastFailureAtMs = Number.NEGATIVE_INFINITY;

  /** @param rotation emits `rotate` at the end of a bucket of the window: one timer for all breakers of a worker */
  constructor(
    settings: BreakerSettings,
    rotation: EventEmitter,
    clock: Clock,
    onChange: (state: BreakerState) => void,
  ) {
    this.#settings = settings;
    this.#rotation = rotation;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  #create(found?: HalfOpen): Circuit {
    const settings = this.#settings;
    const circuit = new CircuitBreaker(failIf, {
      timeout: false,
      resetTimeout: NEVER_MS,
      volumeThreshold: settings.minAttempts,
      errorThresholdPercentage: settings.failurePercentage,
      rollingCountTimeout: settings.windowMs,
      rollingCountBuckets: BREAKER_BUCKETS,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#rotation,
      ...found,
    });
    circuit.on('open', () => {
      this.#reset = this.#clock.after(settings.resetAfterMs, () => this.#letProbe(circuit));
      this.#onChange('open');
    });
    circuit.on('close', () => this.#onChange('closed'));
    return circuit;
  }

  /** opossum leaves the open state only by its own timer, so a half-open circuit takes over the window. */
  #letProbe(open: Circuit): void {
    open.removeAllListeners();
    // This ends that timer.
    open.close();
    this.#circuit = this.#create({ status: open.status, state: { closed: false, halfOpen: true } });
    this.#onChange('half-open');
  }

  get state(): BreakerState {
    if (this.#circuit?.opened) return 'open';
    return this.#circuit?.halfOpen ? 'half-open' : 'closed';
  }

  /** Counts the outcome of an attempt. @param monotonicMs now */
  recordOutcome(outcome: Outcome, monotonicMs: number): void {
    if (outcome.kind === 'retry') this.#lastFailureAtMs = monotonicMs;
    else if (outcome.kind !== 'delivered') return;
    // Without a failure in the window, a success changes nothing: the usual case costs nothing.
    else if (this.state === 'closed' && monotonicMs - this.#lastFailureAtMs > this.#settings.windowMs) return;
    this.#circuit ??= this.#create();
    // It rejects failures, and everything while open: the caller knows both already.
    this.#circuit.fire(outcome.kind === 'retry').catch(() => undefined);
  }

  /** Closes the breaker with nothing counted, for another destination. opossum cannot empty the window of a circuit. */
  reset(): void {
    this.stop();
    this.#lastFailureAtMs = Number.NEGATIVE_INFINITY;
  }

  stop(): void {
    this.#reset?.cancel();
    this.#circuit?.shutdown();
    this.#circuit = undefined;
  }
}

export const BREAKER_BUCKETS = 10;

/** The longest timer that Node allows: no circuit stays open for 24 days. */
const NEVER_MS = 2 ** 31 - 1;

type Circuit = CircuitBreaker<[boolean], void>;

/** The state from which opossum continues a circuit; its types lack `state`. */
interface HalfOpen {
  readonly status: CircuitBreaker.Status;
  readonly state: { readonly closed: false; readonly halfOpen: true };
}

/** Nobody reads this error: one instance for all saves a stack trace for each failure. */
const FAILED = new Error('failed attempt');

async function failIf(hasFailed: boolean): Promise<void> {
  if (hasFailed) throw FAILED;
}
