import type { Attempt } from '@databridge/schemas/records/attempts';

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 24 * 60;

export type OutcomeCounts = Readonly<Record<string, number>>;

/**
 * Attempts of the last 24 hours by customer and outcome, rolled up per minute as the attempt log brings them: asking
 * reads nothing and counts nothing anew. A minute of one customer takes about 40 bytes per outcome.
 */
export class AttemptCounts {
  readonly #customers = new Map<
    string,
    { readonly minutes: Map<string, number>; readonly totals: Map<string, number> }
  >();

  add(customer: string, { at, outcome, test }: Pick<Attempt, 'at' | 'outcome' | 'test'>, nowMs: number): void {
    // `skipped` is no attempt, and a test is no event.
    if (outcome === 'skipped' || test === true || at < nowMs - MINUTES_KEPT * MINUTE_MS) return;
    const known = this.#customers.get(customer) ?? {
      minutes: new Map<string, number>(),
      totals: new Map<string, number>(),
    };
    this.#customers.set(customer, known);
    raise(known.minutes, `${Math.floor(at / MINUTE_MS)} ${outcome}`, 1);
    raise(known.totals, outcome, 1);
    this.#forgetOld(customer, nowMs);
  }

  of(customer: string, nowMs: number): OutcomeCounts {
    this.#forgetOld(customer, nowMs);
    return Object.fromEntries(this.#customers.get(customer)?.totals ?? []);
  }

  /** Customers that left must not stay in memory for the life of the process. */
  keepOnly(isKnown: (customer: string) => boolean): void {
    for (const customer of [...this.#customers.keys()]) if (!isKnown(customer)) this.#customers.delete(customer);
  }

  #forgetOld(customer: string, nowMs: number): void {
    const known = this.#customers.get(customer);
    if (known === undefined) return;
    const oldest = Math.floor(nowMs / MINUTE_MS) - MINUTES_KEPT;
    // In the order in which they came, which is nearly that of time.
    for (const [key, count] of known.minutes) {
      const [minute, outcome = ''] = key.split(' ');
      if (Number(minute) > oldest) break;
      known.minutes.delete(key);
      raise(known.totals, outcome, -count);
      if (known.totals.get(outcome) === 0) known.totals.delete(outcome);
    }
  }
}

function raise(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
