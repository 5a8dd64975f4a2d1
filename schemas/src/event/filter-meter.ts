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

/** A step of CEL takes as long as reading this many characters. */
const WORK_PER_ITEM = 100;
/**
 * So does an error, of which CEL makes one for each value that the event lacks, and passes over it in an "or". A loop may
 * ask for such a value hundreds of times.
 */
export const WORK_PER_ERROR = 1_600;

const UNBOUNDED: WorkRates = { perItem: 1, perChar: 1 };

let left = Number.POSITIVE_INFINITY;
let rates = UNBOUNDED;

/** @throws {Error} once the evaluation has read too much, and again at each later read: CEL's "or" passes over errors */
export function chargeText(chars: number): void {
  charge(1 + chars * rates.perChar);
}

/** The event does not have what is asked for. */
export function chargeLack(): void {
  charge(WORK_PER_ERROR);
}

export function chargeItems(count: number): void {
  charge(1 + count * rates.perItem * WORK_PER_ITEM);
}

function charge(work: number): void {
  left -= work;
  if (left < 0) throw new Error('the filter reads too much of this event');
}

export interface Metered<T> {
  /** Undefined if the evaluation would have read too much. */
  readonly result: T | undefined;
  /** How much of {@link MAX_FILTER_WORK} it took. A unit takes some 5 ns. */
  readonly work: number;
}

export function metered<T>(filterRates: WorkRates, evaluate: () => T): Metered<T> {
  left = MAX_FILTER_WORK;
  rates = filterRates;
  const { stackTraceLimit } = Error;
  // CEL's errors are answers here. Their stacks, which nobody sees, take five times as long as all else.
  Error.stackTraceLimit = 0;
  try {
    const result = evaluate();
    return { result: left < 0 ? undefined : result, work: MAX_FILTER_WORK - left };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    left = Number.POSITIVE_INFINITY;
    rates = UNBOUNDED;
  }
}
