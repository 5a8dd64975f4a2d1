/**
 * Bounds what one evaluation of a filter reads of an event: characters of texts times the functions that work through
 * them, and items of lists and maps times the work that a loop does for each. Evaluation is synchronous, so one meter
 * runs at a time.
 */

/** How much a filter does with what it reads. */
export interface WorkRates {
  /** Nodes that a loop evaluates for each item of a list. */
  readonly perItem: number;
  /** Functions that work through a text that was read. */
  readonly perChar: number;
}

/** Some 10 ms of processor time at the most: two searches of a text of 1 MB, or 20,000 steps of a loop over a list. */
export const MAX_FILTER_WORK = 2_000_000;

/** A step of CEL takes as long as reading so many characters. */
const WORK_PER_ITEM = 100;

const UNBOUNDED: WorkRates = { perItem: 1, perChar: 1 };

let left = Number.POSITIVE_INFINITY;
let rates = UNBOUNDED;

/** @throws {Error} once the evaluation has read too much, and again at each later read: CEL's "or" passes over errors */
export function chargeText(chars: number): void {
  charge(1 + chars * rates.perChar);
}

export function chargeItems(count: number): void {
  charge(1 + count * rates.perItem * WORK_PER_ITEM);
}

function charge(work: number): void {
  left -= work;
  if (left < 0) throw new Error('the filter reads too much of this event');
}

/** @returns undefined if the evaluation would have read too much */
export function metered<T>(filterRates: WorkRates, evaluate: () => T): T | undefined {
  left = MAX_FILTER_WORK;
  rates = filterRates;
  try {
    const result = evaluate();
    return left < 0 ? undefined : result;
  } finally {
    left = Number.POSITIVE_INFINITY;
    rates = UNBOUNDED;
  }
}
