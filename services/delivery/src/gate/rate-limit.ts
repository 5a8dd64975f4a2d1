/**
 * The rate at which a customer's events are sent: a token bucket for the stated limit, which is halved when the
 * destination answers 429 without a wait, and raised again step by step (additive increase, multiplicative decrease).
 * It never exceeds the stated limit. All times are monotonic milliseconds.
 */
export class RateLimit {
  /** The lower of the limits that the subscription states and the destination allows. */
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

  /** @param statedPerSecond the customer's limit; undefined if it has none until a 429 sets one */
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

  /** Applies a changed limit of the customer, or none. A reduction below the limit after a 429 continues. */
  restate(statedPerSecond: number | undefined): void {
    this.#statedPerSecond = statedPerSecond ?? Number.POSITIVE_INFINITY;
    this.#limit();
  }

  /** Applies the limit that the destination allows. */
  allow(perSecond: number): void {
    this.#allowedPerSecond = perSecond;
    this.#limit();
  }

  /** Forgets the limits of the previous destination, because events are sent to another one. */
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

  /** Takes a token. @returns 0 if an event may be sent now; otherwise the ms until it may (no token was taken) */
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

  /** Halves the rate after a 429. The answers of one burst count once. */
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
    // Without a stated limit there is no target for the rate: above this it does not limit anything any more.
    if (this.#ratePerSecond > NO_LIMIT_ABOVE_PER_SECOND) this.#ratePerSecond = this.#limitPerSecond;
  }

  #step(): number {
    return this.#limitPerSecond === Number.POSITIVE_INFINITY ? UNSTATED_STEP : Math.max(this.#limitPerSecond / 20, 0.1);
  }

  /**
   * At most the tokens of a tenth of a second are saved up, so that no window of a second exceeds the limit by much.
   */
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
