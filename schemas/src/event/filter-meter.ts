/**
 * What one evaluation of a filter reads of an event: characters of texts, and items of lists and maps times the work
 * that a loop does for each. Evaluation is synchronous, so one meter runs at a time.
 */

/** Some 20 ms at the most: two reads of a text of 1 MB, or 20,000 steps of a loop over a list. */
export const MAX_FILTER_WORK = 2_000_000;

/** A step of CEL takes as long as reading so many characters. */
const WORK_PER_ITEM = 100;

let left = Number.POSITIVE_INFINITY;
let workPerItem = 1;

/** @throws {Error} once the evaluation has read too much, and again at each later read: CEL's "or" passes over errors */
export function chargeText(chars: number): void {
  charge(1 + chars);
}

export function chargeItems(count: number): void {
  charge(1 + count * workPerItem * WORK_PER_ITEM);
}

function charge(work: number): void {
  left -= work;
  if (left < 0) throw new Error('the filter reads too much of this event');
}

/**
 * @param perItem what the filter's loops do for each item of a list
 * @returns undefined if it would have read too much
 */
export function metered<T>(perItem: number, evaluate: () => T): T | undefined {
  left = MAX_FILTER_WORK;
  workPerItem = perItem;
  try {
    const result = evaluate();
    return left < 0 ? undefined : result;
  } finally {
    left = Number.POSITIVE_INFINITY;
    workPerItem = 1;
  }
}
