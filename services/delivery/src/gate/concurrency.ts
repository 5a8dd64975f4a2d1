/**
 * Requests in flight of a customer that starts: more than the breaker needs to detect a destination that does not
 * answer.
 */
const FIRST_LIMIT = 32;
/** Up to this limit it doubles with each successful round trip; above, it grows by its square root. */
const DOUBLES_UP_TO = 64;
/**
 * If more than this share of the answers report an overload, the limit is halved. A few errors come from the events,
 * not from the load.
 */
const MAX_OVERLOADED_SHARE = 0.1;
/** Requests without an answer halve the limit too, but not below this: an event that gets no answer must not stop the others. */
const LEAST_WITHOUT_ANSWERS = 4;
/** Answers that take less than this are never too slow: below it, differences also come from our own event loop. */
const NEVER_SLOW_MS = 500;
/** Answers are too slow if they take this many times as long as the fastest did. */
const SLOW_FACTOR = 2;
/**
 * A destination that stays slower than before is not overloaded, but has changed: the best time is forgotten slowly.
 */
const FORGET_BEST = 1.02;
/** After a failure the limit doubles at most once in this time, however fast the answers are. */
const RAMP_STEP_MS = 1_000;

/** The evidence of one attempt about the load of the destination. */
export interface LoadSign {
  /** 429, 502, 503 or 504. */
  readonly isOverloaded: boolean;
  /** There was none that can be used: refused connections, time-outs, broken answers. */
  readonly isUnanswered: boolean;
  readonly durationMs: number;
}

/**
 * Limits the number of requests that one customer may have in flight: fewer when the destination reports an overload or
 * gets slower; more while it accepts them. The caller applies the limit of the subscription.
 *
 *     starts: 32 ──▶ grows each round trip (×2 up to 64, then by its square root) ◀──▶ shrinks (×½ overloaded or unanswered, ×¾ slow)
 *     recovers (breaker closed, hold over, enabled again): 1, which doubles at most once a second
 *
 * One round trip is over when as many answers came as the limit says. All times are monotonic ms.
 */
export class Concurrency {
  #limit = FIRST_LIMIT;
  #recoveredAtMs = Number.NEGATIVE_INFINITY;
  #bestMs = Number.POSITIVE_INFINITY;
  #answers = 0;
  #overloaded = 0;
  #unanswered = 0;
  #totalMs = 0;
  #mostInFlight = 0;

  /** The limit of requests in flight now, at least 1. */
  limit(nowMs: number): number {
    return Math.max(1, Math.floor(Math.min(this.#limit, this.#ramp(nowMs))));
  }

  /** When the limit rises next by the passing of time; undefined if only answers raise it. */
  risesAtMs(nowMs: number): number | undefined {
    if (this.#ramp(nowMs) >= this.#limit) return undefined;
    const steps = Math.floor((nowMs - this.#recoveredAtMs) / RAMP_STEP_MS);
    return this.#recoveredAtMs + (steps + 1) * RAMP_STEP_MS;
  }

  /** Starts at 1 again: the destination failed, or nothing is known of it any more. */
  recover(nowMs: number): void {
    this.#limit = 1;
    this.#recoveredAtMs = nowMs;
    this.#restart();
  }

  /** Forgets everything that was learned: the destination is another one. */
  forget(): void {
    this.#limit = FIRST_LIMIT;
    this.#recoveredAtMs = Number.NEGATIVE_INFINITY;
    this.#bestMs = Number.POSITIVE_INFINITY;
    this.#restart();
  }

  /** Counts an attempt. @param inFlight requests in flight when this attempt ended, its own included */
  recordAnswer({ isOverloaded, isUnanswered, durationMs }: LoadSign, inFlight: number): void {
    this.#answers++;
    this.#totalMs += durationMs;
    if (isOverloaded) this.#overloaded++;
    if (isUnanswered) this.#unanswered++;
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    if (this.#answers >= this.#limit) this.#decide();
  }

  #decide(): void {
    const meanMs = this.#totalMs / this.#answers;
    this.#bestMs = Math.min(this.#bestMs * FORGET_BEST, meanMs);
    if (this.#overloaded / this.#answers > MAX_OVERLOADED_SHARE) this.#limit = Math.max(1, this.#limit / 2);
    else if (this.#unanswered / this.#answers > MAX_OVERLOADED_SHARE)
      this.#limit = Math.min(this.#limit, Math.max(LEAST_WITHOUT_ANSWERS, this.#limit / 2));
    else if (meanMs > Math.max(NEVER_SLOW_MS, this.#bestMs * SLOW_FACTOR))
      this.#limit = Math.max(1, this.#limit * 0.75);
    // A limit that is not reached says nothing about what the destination can process.
    else if (this.#mostInFlight >= Math.floor(this.#limit)) this.#limit += this.#growth();
    this.#restart();
  }

  #growth(): number {
    return this.#limit < DOUBLES_UP_TO ? Math.min(this.#limit, DOUBLES_UP_TO - this.#limit) : Math.sqrt(this.#limit);
  }

  #ramp(nowMs: number): number {
    return 2 ** Math.floor((nowMs - this.#recoveredAtMs) / RAMP_STEP_MS);
  }

  #restart(): void {
    this.#answers = 0;
    this.#overloaded = 0;
    this.#unanswered = 0;
    this.#totalMs = 0;
    this.#mostInFlight = 0;
  }
}
