/**
 * How fast a customer is sent to: a token bucket for the stated limit, halved when the destination answers 429
 * without saying how long, and raised again step by step (additive increase, multiplicative decrease). It never
 * exceeds what was stated. All times are monotonic milliseconds.
 */
export class RateLimit {
  /** The lower of what the subscription states and what the destination allows. */
  #limitPerSecond: number;
  #statedPerSecond: number;
  #allowedPerSecond = Number.POSITIVE_INFINITY;
  #ratePerSecond: number;
  #tokens: number;
  #refilledAtMs: number;
  #lastDecreaseAtMs = Number.NEGATIVE_INFINITY;
  #lastIncreaseAtMs = 0;
  #sentThisSecond = 0;
  #sentLastSecond = 0;
  #secondStartedAtMs: number;

  /** @param statedPerSecond the customer's limit; undefined: none, until a 429 makes one */
  constructor(statedPerSecond: number | undefined, nowMs: number) {
    this.#statedPerSecond = statedPerSecond ?? Number.POSITIVE_INFINITY;
    this.#limitPerSecond = this.#statedPerSecond;
    this.#ratePerSecond = this.#statedPerSecond;
    this.#tokens = 1;
    this.#refilledAtMs = nowMs;
    this.#secondStartedAtMs = nowMs;
  }

  /** The limit in force. */
  get ratePerSecond(): number {
    return this.#ratePerSecond;
  }

  /** The customer states another limit, or none. Whatever slowed the customer down below its limit goes on. */
  restate(statedPerSecond: number | undefined): void {
    this.#statedPerSecond = statedPerSecond ?? Number.POSITIVE_INFINITY;
    this.#limit();
  }

  /** The destination allows no more than this. */
  allow(perSecond: number): void {
    this.#allowedPerSecond = perSecond;
    this.#limit();
  }

  /** Another destination: what the one before allowed or answered no longer counts. */
  forgetDestination(): void {
    this.#allowedPerSecond = Number.POSITIVE_INFINITY;
    this.#limit();
    this.#ratePerSecond = this.#limitPerSecond;
  }

  #limit(): void {
    const isSlowedDown = this.#ratePerSecond < this.#limitPerSecond;
    this.#limitPerSecond = Math.min(this.#statedPerSecond, this.#allowedPerSecond);
    this.#ratePerSecond = isSlowedDown ? Math.min(this.#ratePerSecond, this.#limitPerSecond) : this.#limitPerSecond;
  }

  /** Takes a token. @returns 0 when it may be sent now, else how many ms until it may (nothing was taken then) */
  take(nowMs: number): number {
    this.#count(nowMs);
    if (this.#ratePerSecond === Number.POSITIVE_INFINITY) {
      this.#sentThisSecond++;
      return 0;
    }
    this.#increase(nowMs);
    this.#refill(nowMs);
    if (this.#tokens < 1) return Math.max(1, Math.ceil(((1 - this.#tokens) * 1_000) / this.#ratePerSecond));
    this.#tokens -= 1;
    this.#sentThisSecond++;
    return 0;
  }

  /** The destination answered 429. The answers of one burst count once. */
  slowDown(nowMs: number): void {
    if (nowMs - this.#lastDecreaseAtMs < SECOND_MS) return;
    this.#lastDecreaseAtMs = nowMs;
    this.#lastIncreaseAtMs = nowMs;
    const measured = Math.max(this.#sentThisSecond, this.#sentLastSecond, 1);
    const current = this.#ratePerSecond === Number.POSITIVE_INFINITY ? measured : this.#ratePerSecond;
    this.#ratePerSecond = Math.max(current / 2, LOWEST_RATE_PER_SECOND);
    this.#tokens = Math.min(this.#tokens, 1);
    this.#refilledAtMs = nowMs;
  }

  #increase(nowMs: number): void {
    if (this.#ratePerSecond >= this.#limitPerSecond) return;
    const steps = Math.floor((nowMs - this.#lastIncreaseAtMs) / SECOND_MS);
    if (steps < 1) return;
    this.#lastIncreaseAtMs += steps * SECOND_MS;
    this.#ratePerSecond = Math.min(this.#ratePerSecond + steps * this.#step(), this.#limitPerSecond);
    // Without a stated limit there is nothing to climb to: past this it no longer holds anything back.
    if (this.#ratePerSecond > NO_LIMIT_ABOVE_PER_SECOND) this.#ratePerSecond = this.#limitPerSecond;
  }

  #step(): number {
    return this.#limitPerSecond === Number.POSITIVE_INFINITY ? UNSTATED_STEP : Math.max(this.#limitPerSecond / 20, 0.1);
  }

  /** At most a tenth of a second's worth is saved up, so that no window of a second sees much over the limit. */
  #refill(nowMs: number): void {
    const burst = Math.max(1, this.#ratePerSecond / 10);
    const elapsedMs = Math.max(0, nowMs - this.#refilledAtMs);
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs * this.#ratePerSecond) / 1_000);
    this.#refilledAtMs = nowMs;
  }

  #count(nowMs: number): void {
    const elapsedMs = nowMs - this.#secondStartedAtMs;
    if (elapsedMs < SECOND_MS) return;
    this.#sentLastSecond = elapsedMs < 2 * SECOND_MS ? this.#sentThisSecond : 0;
    this.#sentThisSecond = 0;
    this.#secondStartedAtMs = nowMs;
  }
}

const SECOND_MS = 1_000;
const LOWEST_RATE_PER_SECOND = 0.1;
const UNSTATED_STEP = 5;
const NO_LIMIT_ABOVE_PER_SECOND = 10_000;
