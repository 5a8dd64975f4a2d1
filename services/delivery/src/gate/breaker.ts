import type { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { Outcome } from '../attempt/outcome.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerSettings {
  /** How long an open breaker lets nothing through before it probes. */
  readonly resetAfterMs: number;
  /** So many attempts within the window before their failures can open it. */
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
 * while the action still runs, has no part in it; and refusals of single events are not shown to it at all, where
 * its error filter would count them as successes.
 */
export class Breaker {
  readonly #create: () => CircuitBreaker<[boolean], void>;
  /** Made by the first failure: most customers never fail, and it takes 7 KiB. */
  #circuit: CircuitBreaker<[boolean], void> | undefined;
  readonly #windowMs: number;
  #lastFailureAtMs = Number.NEGATIVE_INFINITY;

  /** @param rotation emits `rotate` when a window's bucket is over: one timer for all breakers of a worker */
  constructor(settings: BreakerSettings, rotation: EventEmitter, onChange: (state: BreakerState) => void) {
    this.#windowMs = settings.windowMs;
    this.#create = () => {
      const circuit = new CircuitBreaker(judge, {
        timeout: false,
        resetTimeout: settings.resetAfterMs,
        volumeThreshold: settings.minAttempts,
        errorThresholdPercentage: settings.failurePercentage,
        rollingCountTimeout: settings.windowMs,
        rollingCountBuckets: BREAKER_BUCKETS,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: rotation,
      });
      circuit.on('open', () => onChange('open'));
      circuit.on('halfOpen', () => onChange('half-open'));
      circuit.on('close', () => onChange('closed'));
      return circuit;
    };
  }

  get state(): BreakerState {
    if (this.#circuit?.opened) return 'open';
    return this.#circuit?.halfOpen ? 'half-open' : 'closed';
  }

  /** @param monotonicMs now */
  observe(outcome: Outcome, monotonicMs: number): void {
    if (outcome.kind === 'retry') this.#lastFailureAtMs = monotonicMs;
    else if (outcome.kind !== 'delivered') return;
    // With no failure in the window there is nothing that a success could outweigh: the usual case costs nothing.
    else if (this.state === 'closed' && monotonicMs - this.#lastFailureAtMs > this.#windowMs) return;
    this.#circuit ??= this.#create();
    // It rejects what failed, and everything while open: both are known already.
    this.#circuit.fire(outcome.kind === 'retry').catch(() => undefined);
  }

  /** Another destination: closed, with nothing counted. opossum has no way to empty the window of a circuit. */
  reset(): void {
    this.stop();
    this.#lastFailureAtMs = Number.NEGATIVE_INFINITY;
  }

  stop(): void {
    this.#circuit?.shutdown();
    this.#circuit = undefined;
  }
}

export const BREAKER_BUCKETS = 10;

/** Nobody reads it: one for all spares a stack trace for each failure. */
const FAILED = new Error('failed attempt');

async function judge(hasFailed: boolean): Promise<void> {
  if (hasFailed) throw FAILED;
}
