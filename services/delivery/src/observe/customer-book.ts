import { type Clock, instantOf } from '@databridge/kernel/time/clock';
import type { CustomerRow, CustomerTotals } from './customer-families.ts';
import { CustomerMetrics } from './customer-metrics.ts';
import { TROUBLES, type Trouble, troublesOf } from './troubles.ts';

/** Which customers have series of their own: all, those that are or were within the last hour in trouble, or none. */
export const SHOWN_CUSTOMERS = ['all', 'troubled', 'none'] as const;
export type ShownCustomers = (typeof SHOWN_CUSTOMERS)[number];

/**
 * The time for which a customer keeps its series after its failures end: an alert on it resolves by a value, not by an
 * absence.
 */
const SHOWN_AFTER_TROUBLE_MS = 3_600_000;
/** A customer whose oldest event waits for longer is in trouble, whatever the reason. */
const LATE_AFTER_MS = 60_000;

/** The counts that this worker has of its customers. */
export class CustomerBook {
  readonly #clock: Clock;
  readonly #shown: ShownCustomers;
  readonly #customers = new Map<string, CustomerMetrics>();
  /** The time of the latest trouble, by the monotonic clock. */
  readonly #troubledAtMs = new Map<string, number>();
  #totals: CustomerTotals = emptyTotals();
  /** The counts of customers that other workers have taken over: totals must not decrease. */
  readonly #gone = noFaults();

  constructor(clock: Clock, shown: ShownCustomers) {
    this.#clock = clock;
    this.#shown = shown;
  }

  /** A customer's numbers; they are 0 at the first call. */
  of(customer: string): CustomerMetrics {
    const known = this.#customers.get(customer);
    if (known) return known;
    const made = new CustomerMetrics();
    this.#customers.set(customer, made);
    return made;
  }

  /** Ends all series of a customer that this worker does not own any more. */
  drop(customer: string): void {
    const counts = this.#customers.get(customer);
    if (counts) addFaults(this.#gone, counts);
    this.#customers.delete(customer);
    this.#troubledAtMs.delete(customer);
  }

  /** The totals of the latest {@link rows} that were read to their end. */
  get totals(): CustomerTotals {
    return this.#totals;
  }

  /** The customers that have series of their own. The caller may do other work between two of them. */
  *rows(): Generator<readonly [labels: string, row: CustomerRow]> {
    const backlog = new Map<string, number>();
    const troubled = emptyTotals().troubled;
    const faults = { ...this.#gone };
    let oldestIntakeAtMs: number | undefined;
    for (const [customer, counts] of this.#customers) {
      const { monotonicMs, wallMs } = instantOf(this.#clock);
      const levels = counts.levels?.();
      addFaults(faults, counts);
      for (const [lane, count] of levels?.waiting ?? []) backlog.set(lane, (backlog.get(lane) ?? 0) + count);
      const troubles = levels === undefined ? [] : troublesOf(levels);
      for (const trouble of troubles) troubled[trouble]++;
      const oldestMs = levels?.oldestIntakeAtMs ?? Number.POSITIVE_INFINITY;
      if (oldestMs < (oldestIntakeAtMs ?? Number.POSITIVE_INFINITY)) oldestIntakeAtMs = oldestMs;
      if (troubles.length > 0 || wallMs - oldestMs > LATE_AFTER_MS) this.#troubledAtMs.set(customer, monotonicMs);
      if (this.#isShown(customer, monotonicMs)) yield [`,customer="${customer}"`, { counts, levels, monotonicMs }];
    }
    this.#totals = { backlog, troubled, oldestIntakeAtMs, faults };
  }

  #isShown(customer: string, monotonicMs: number): boolean {
    if (this.#shown !== 'troubled') return this.#shown === 'all';
    const troubledAtMs = this.#troubledAtMs.get(customer) ?? Number.NEGATIVE_INFINITY;
    return monotonicMs - troubledAtMs <= SHOWN_AFTER_TROUBLE_MS;
  }
}

function emptyTotals() {
  return {
    backlog: new Map<string, number>(),
    troubled: Object.fromEntries(TROUBLES.map((trouble) => [trouble, 0])) as Record<Trouble, number>,
    oldestIntakeAtMs: undefined,
    faults: noFaults(),
  };
}

function noFaults() {
  return { offsetsLost: 0, internalDeadLetters: 0 };
}

function addFaults(to: ReturnType<typeof noFaults>, { offsetsLost, deadLetters }: CustomerMetrics): void {
  to.offsetsLost += offsetsLost;
  to.internalDeadLetters += deadLetters.internal;
}
