/**
 * Limits how much one evaluation of a filter reads of an event: characters of texts times the functions that work
 * through them, and items of lists and maps times the work that a loop does for each. Evaluation is synchronous, so one
 * meter runs at a time.
 */

/** Measures the work that a filter does with the values that it reads. */
export interface WorkRates {
  /** The number of nodes that a loop evaluates for each item of a list. */
  readonly perItem: number;
  /** The number of functions that process a text that was read. */
  readonly perChar: number;
}

/** At most about 10 ms of processor time: two searches of a text of 1 MB, or 20,000 steps of a loop over a list. */
const MAX_FILTER_WORK = 2_000_000;

/** A step of CEL takes as long as reading this many characters. */
const WORK_PER_ITEM = 100;
/**
 * An error takes as long, too. CEL makes one for each value that the event lacks, and ignores it in an "or". A loop may
 * read such a value hundreds of times.
 */
export const WORK_PER_ERROR = 1_600;

const UNBOUNDED: WorkRates = { perItem: 1, perChar: 1 };

let left = Number.POSITIVE_INFINITY;
let rates = UNBOUNDED;

/**
 * @throws {Error} once the evaluation has read too much, and again at each later read, because CEL's "or" ignores
 *   errors
 */
export function chargeText(chars: number): void {
  charge(1 + chars * rates.perChar);
}

/** The event does not have the value. */
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
  /** The used part of {@link MAX_FILTER_WORK}. A unit takes about 5 ns. */
  readonly work: number;
}

export function metered<T>(filterRates: WorkRates, evaluate: () => T): Metered<T> {
  left = MAX_FILTER_WORK;
  rates = filterRates;
  const { stackTraceLimit } = Error;
  // CEL's errors are answers here. Their stacks, which nobody reads, would take five times as long as everything else.
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
