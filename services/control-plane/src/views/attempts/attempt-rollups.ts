import { ATTEMPT_OUTCOMES, type Attempt } from '@databridge/schemas/records/attempts';

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 24 * 60;
/** The counters of one minute: the counts by outcome, then those by duration. */
const SLOTS = 64;
const DURATIONS_FROM = 16;
/** Durations are counted by the half power of two below them: 1, 1.4, 2, 2.8 … ms, and 30 s and more together. */
const DURATION_BUCKETS = 32;

export type OutcomeCounts = Readonly<Record<string, number>>;

/** The attempts in a period of time. */
export interface SeriesStep {
  /** The beginning of the period, ms since the epoch. */
  readonly atMs: number;
  readonly outcomes: OutcomeCounts;
  /** Durations that 50, 95 and 99 % of the attempts did not exceed, within a fifth. Absent if there was no attempt. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly p99Ms?: number;
}

interface Known {
  /** minute × {@link SLOTS} + slot → count. Numbers as keys take a fraction of the memory of texts. */
  readonly minutes: Map<number, number>;
  readonly totals: Map<string, number>;
  lastDeliveredAtMs?: number;
}

/**
 * The attempts of the last 24 hours by customer, outcome and duration, summed up per minute as the attempt log is read:
 * a query reads and counts nothing again.
 */
export class AttemptRollups {
  readonly #customers = new Map<string, Known>();

  add(
    customer: string,
    { at, outcome, durationMs, test }: Pick<Attempt, 'at' | 'outcome' | 'durationMs' | 'test'>,
    nowMs: number,
  ): void {
    // `skipped` is not an attempt, and a test is not an event.
    if (outcome === 'skipped' || test === true || at < nowMs - MINUTES_KEPT * MINUTE_MS) return;
    const known: Known = this.#customers.get(customer) ?? { minutes: new Map(), totals: new Map() };
    this.#customers.set(customer, known);
    const minute = Math.floor(at / MINUTE_MS) * SLOTS;
    raise(known.minutes, minute + ATTEMPT_OUTCOMES.indexOf(outcome), 1);
    raise(known.minutes, minute + DURATIONS_FROM + bucketOf(durationMs), 1);
    raise(known.totals, outcome, 1);
    if (outcome === 'delivered') known.lastDeliveredAtMs = Math.max(known.lastDeliveredAtMs ?? 0, at);
    this.#forgetOld(customer, nowMs);
  }

  of(customer: string, nowMs: number): OutcomeCounts {
    this.#forgetOld(customer, nowMs);
    return Object.fromEntries(this.#customers.get(customer)?.totals ?? []);
  }

  /** When the last delivery began, in ms since the epoch; undefined: there was none in 24 hours. */
  lastDelivered(customer: string): number | undefined {
    return this.#customers.get(customer)?.lastDeliveredAtMs;
  }

  /**
   * @param fromMs rounded down to a whole step; `toMs` is exclusive
   * @returns a step for each period, including those without attempts, the oldest first
   */
  series(
    customer: string,
    { fromMs, toMs, stepMs }: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
  ): SeriesStep[] {
    const firstMs = Math.floor(fromMs / stepMs) * stepMs;
    const sums = Array.from({ length: Math.max(Math.ceil((toMs - firstMs) / stepMs), 0) }, () =>
      new Array<number>(SLOTS).fill(0),
    );
    for (const [key, count] of this.#customers.get(customer)?.minutes ?? []) {
      const step = sums[Math.floor((Math.floor(key / SLOTS) * MINUTE_MS - firstMs) / stepMs)];
      if (step !== undefined) step[key % SLOTS] = (step[key % SLOTS] ?? 0) + count;
    }
    return sums.map((slots, index) => ({ atMs: firstMs + index * stepMs, ...stepOf(slots) }));
  }

  /** Customers that left must not stay in memory for the life of the process. */
  keepOnly(isKnown: (customer: string) => boolean): void {
    for (const customer of [...this.#customers.keys()]) if (!isKnown(customer)) this.#customers.delete(customer);
  }

  #forgetOld(customer: string, nowMs: number): void {
    const known = this.#customers.get(customer);
    if (known === undefined) return;
    const oldest = Math.floor(nowMs / MINUTE_MS) - MINUTES_KEPT;
    // In the order of arrival, which is nearly that of time.
    for (const [key, count] of known.minutes) {
      if (Math.floor(key / SLOTS) > oldest) break;
      known.minutes.delete(key);
      const outcome = ATTEMPT_OUTCOMES[key % SLOTS];
      if (outcome === undefined) continue;
      raise(known.totals, outcome, -count);
      if (known.totals.get(outcome) === 0) known.totals.delete(outcome);
    }
  }
}

function raise<K>(counts: Map<K, number>, name: K, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

const bucketOf = (durationMs: number) =>
  Math.min(Math.max(Math.floor(2 * Math.log2(Math.max(durationMs, 1))), 0), DURATION_BUCKETS - 1);

function stepOf(slots: readonly number[]): Omit<SeriesStep, 'atMs'> {
  const outcomes = Object.fromEntries(
    ATTEMPT_OUTCOMES.flatMap((outcome, slot) => ((slots[slot] ?? 0) > 0 ? [[outcome, slots[slot] as number]] : [])),
  );
  const durations = slots.slice(DURATIONS_FROM, DURATIONS_FROM + DURATION_BUCKETS);
  if (durations.every((count) => count === 0)) return { outcomes };
  return {
    outcomes,
    p50Ms: percentile(durations, 0.5),
    p95Ms: percentile(durations, 0.95),
    p99Ms: percentile(durations, 0.99),
  };
}

/** The middle of the bucket of the percentile: at most a fifth off. */
function percentile(durations: readonly number[], share: number): number {
  const wanted = durations.reduce((sum, count) => sum + count, 0) * share;
  let seen = 0;
  const bucket = durations.findIndex((count) => {
    seen += count;
    return seen >= wanted;
  });
  return Math.round(2 ** ((bucket + 0.5) / 2));
}
