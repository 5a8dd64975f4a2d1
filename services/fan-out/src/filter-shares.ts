import { systemClock } from '@databridge/kernel/time/clock';

/**
 * Divides the time that costly filters take between the customers. Fan-out routes all customers' events in one event
 * loop, so a filter at the limit of what is allowed (some 10 ms for a large event) would delay everybody's. Filters below
 * {@link USUAL_WORK} count nothing and are always evaluated.
 *
 * In each window, costly filters get a third of the time. Once it is used up, a customer that has taken more than its
 * equal part of it waits for the next window: its filter isn't evaluated, and the event goes to it, as with every filter
 * that can't be evaluated. Whose part it is, counted work says (schemas/src/event/filter-meter.ts): a collection of garbage
 * in the middle is nobody's doing. When the window is used up, the clock says too: on a machine that is throttled or busy
 * the same work takes many times as long, and the events must go on there as well.
 */

const WINDOW_MS = 100;
/** A unit takes some 5 ns. */
const WORK_PER_MS = 200_000;
const WINDOW_COSTLY_MS = WINDOW_MS / 3;
const WINDOW_WORK = WINDOW_COSTLY_MS * WORK_PER_MS;
/** 0.25 ms: a search of a text of 50,000 characters, say. */
export const USUAL_WORK = WORK_PER_MS / 4;

export class FilterShares {
  readonly #nowMs: () => number;
  #endsAtMs = Number.NEGATIVE_INFINITY;
  #used = 0;
  #usedMs = 0;
  #byCustomer = new Map<string, number>();
  /** Customers with costly filters in the window before: they are expected again. */
  #before: ReadonlySet<string> = new Set();

  constructor(nowMs: () => number = () => systemClock.monotonicMs()) {
    this.#nowMs = nowMs;
  }

  /** Whether the customer's filter may be evaluated now. */
  mayAsk(customer: string): boolean {
    if (!this.#isUsedUp) return true;
    this.#turnOver();
    if (!this.#isUsedUp) return true;
    const customers = new Set([...this.#before, ...this.#byCustomer.keys(), customer]).size;
    return (this.#byCustomer.get(customer) ?? 0) < Math.min(this.#used, WINDOW_WORK) / customers;
  }

  /** @param work of one evaluation @param tookMs by the clock */
  recordUse(customer: string, work: number, tookMs: number): void {
    const costly = work - USUAL_WORK;
    if (costly <= 0) return;
    this.#turnOver();
    this.#used += costly;
    this.#usedMs += tookMs;
    this.#byCustomer.set(customer, (this.#byCustomer.get(customer) ?? 0) + costly);
  }

  #turnOver(): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#endsAtMs) return;
    this.#endsAtMs = nowMs + WINDOW_MS;
    this.#before = new Set(this.#byCustomer.keys());
    this.#byCustomer = new Map();
    this.#used = 0;
    this.#usedMs = 0;
  }

  get #isUsedUp(): boolean {
    return this.#used >= WINDOW_WORK || this.#usedMs >= WINDOW_COSTLY_MS;
  }
}
