/** Requests in flight of a customer that starts: more than the breaker needs to judge a destination that hangs. */
const FIRST_LIMIT = 32;
/** Up to here the limit doubles with each round trip that went well; above, it grows by its square root. */
const DOUBLES_UP_TO = 64;
/** More answers than this share that say "too much" halve the limit. A few errors are the events', not the load's. */
const MAX_OVERLOADED_SHARE = 0.1;
/** Answers that take less than this are never too slow: what differs there is also our own event loop. */
const NEVER_SLOW_MS = 500;
/** Answers are too slow when they take this many times as long as they did in the best of times. */
const SLOW_FACTOR = 2;
/** A destination that stays slower than it was is not under load, but another one: the best of times is forgotten slowly. */
const FORGET_BEST = 1.02;
/** After trouble the limit doubles at most this often, however fast the answers are. */
const RAMP_STEP_MS = 1_000;

/** What one answer says about the load. */
export interface LoadSign {
  /** 429, 502, 503 or 504. */
  readonly isOverloaded: boolean;
  readonly durationMs: number;
}

/**
 * How many requests one customer may have in flight: fewer when the destination answers "too much", or ever more slowly;
 * more while it takes what it gets. Never above what the subscription says, which is for the caller to see to.
 *
 *     starts: 32 ──▶ grows each round trip (×2 up to 64, then by its square root) ◀──▶ shrinks (×½ overloaded, ×¾ slow)
 *     recovers (breaker closed, hold over, enabled anew): 1, which doubles at most once a second
 *
 * One round trip is over when as many answers came as the limit says. All times are monotonic ms.
 */
export class Concurrency {
  #limit = FIRST_LIMIT;
  #recoveredAtMs = Number.NEGATIVE_INFINITY;
  #bestMs = Number.POSITIVE_INFINITY;
  #answers = 0;
  #overloaded = 0;
  #totalMs = 0;
  #mostInFlight = 0;

  /** Requests that may be in flight now, at least 1. */
  limit(nowMs: number): number {
    return Math.max(1, Math.floor(Math.min(this.#limit, this.#ramp(nowMs))));
  }

  /** When the limit may next be higher for the time alone; undefined: only answers raise it. */
  risesAtMs(nowMs: number): number | undefined {
    if (this.#ramp(nowMs) >= this.#limit) return undefined;
    const steps = Math.floor((nowMs - this.#recoveredAtMs) / RAMP_STEP_MS);
    return this.#recoveredAtMs + (steps + 1) * RAMP_STEP_MS;
  }

  /** The destination was in trouble, or nothing is known of it any more: it is approached slowly. */
  recover(nowMs: number): void {
    this.#limit = 1;
    this.#recoveredAtMs = nowMs;
    this.#restart();
  }

  /** Another destination: nothing that was learned of the one before holds. */
  forget(): void {
    this.#limit = FIRST_LIMIT;
    this.#recoveredAtMs = Number.NEGATIVE_INFINITY;
    this.#bestMs = Number.POSITIVE_INFINITY;
    this.#restart();
  }

  /** @param inFlight requests in flight when this answer came, its own included */
  recordAnswer({ isOverloaded, durationMs }: LoadSign, inFlight: number): void {
    this.#answers++;
    this.#totalMs += durationMs;
    if (isOverloaded) this.#overloaded++;
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    if (this.#answers >= this.#limit) this.#decide();
  }

  #decide(): void {
    const meanMs = this.#totalMs / this.#answers;
    this.#bestMs = Math.min(this.#bestMs * FORGET_BEST, meanMs);
    if (this.#overloaded / this.#answers > MAX_OVERLOADED_SHARE) this.#limit = Math.max(1, this.#limit / 2);
    else if (meanMs > Math.max(NEVER_SLOW_MS, this.#bestMs * SLOW_FACTOR))
      this.#limit = Math.max(1, this.#limit * 0.75);
    // What is not used says nothing about what the destination can take.
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
    this.#totalMs = 0;
    this.#mostInFlight = 0;
  }
}
