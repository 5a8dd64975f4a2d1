/**
 * The proof that nothing is lost: what fan-out wrote for a customer is delivered, waiting, dead-lettered, or taken
 * out or skipped by an operator, event by event. Pure: `gather-evidence.ts` reads what it judges.
 */

export interface TimeRange {
  /** Of fan-out's append time, ms since the epoch; left out: from the start. */
  readonly fromMs?: number;
  /** Exclusive; left out: until now. */
  readonly toMs?: number;
}

/** What the topics say of one customer's events. */
export interface Evidence {
  readonly customer: string;
  /** Main-lane records of the range that are no replays: event id → where it came from at the intake. */
  readonly written: ReadonlyMap<string, WrittenEvent>;
  /** Records not done, by event id: which lanes they wait in (`main`, or the retry lane's delay). */
  readonly waiting: ReadonlyMap<string, readonly string[]>;
  /** Dead letters that stand: event id → reason. */
  readonly dead: ReadonlyMap<string, string>;
  /** Keys of dead letters that were taken out, as long as their tombstones stand: event id, or event id/replay id. */
  readonly tombstones: ReadonlySet<string>;
  readonly attempted: ReadonlyMap<string, AttemptedEvent>;
}

export interface WrittenEvent {
  /** More than one when fan-out wrote it again after a fault, or a producer did. */
  readonly records: number;
  readonly source?: string;
}

export interface AttemptedEvent {
  readonly attempts: number;
  readonly delivered: number;
  /** The last attempt's outcome. */
  readonly lastOutcome: string;
}

export type EventFate = 'delivered' | 'waiting' | 'dead' | 'removed' | 'skipped' | 'unaccounted';

export interface Reconciliation {
  readonly customer: string;
  readonly range: TimeRange;
  /** Distinct events. */
  readonly written: number;
  /** Records of the main lane, repeats included. */
  readonly writtenRecords: number;
  readonly delivered: number;
  readonly waiting: number;
  /** Of `waiting`, by lane; an event that stands in two lanes counts in the first. */
  readonly waitingByLane: Readonly<Record<string, number>>;
  readonly dead: number;
  readonly deadByReason: Readonly<Record<string, number>>;
  /** Was a dead letter; an operator discarded it, or redrove it. */
  readonly removed: number;
  /** An operator moved the customer past it, undelivered. */
  readonly skipped: number;
  /** Accepted by the destination more than once: at least once is the promise. */
  readonly deliveredAgain: number;
  /** Events that nothing accounts for: lost, or their evidence is older than the attempt log keeps. */
  readonly unaccounted: readonly { readonly eventId: string; readonly source?: string }[];
}

/** Of each event that was written. */
export const fatesIn = (evidence: Evidence): Record<string, EventFate> =>
  Object.fromEntries([...evidence.written.keys()].map((eventId) => [eventId, fateOf(eventId, evidence)]));

/** What an event's evidence says, the strongest first: what the destination accepted is delivered, whatever else. */
export function fateOf(eventId: string, { attempted, waiting, dead, tombstones }: Evidence): EventFate {
  const tried = attempted.get(eventId);
  if (tried !== undefined && tried.delivered > 0) return 'delivered';
  if (waiting.has(eventId)) return 'waiting';
  if (dead.has(eventId)) return 'dead';
  if (tried?.lastOutcome === 'skipped') return 'skipped';
  if (tombstones.has(eventId)) return 'removed';
  // Its last attempt made it a dead letter, and even the tombstone is compacted away.
  if (tried !== undefined && DEADLY.has(tried.lastOutcome)) return 'removed';
  return 'unaccounted';
}

const DEADLY = new Set(['refused', 'internal']);

export function reconcile(evidence: Evidence, range: TimeRange): Reconciliation {
  const counts = { delivered: 0, waiting: 0, dead: 0, removed: 0, skipped: 0 };
  const waitingByLane: Record<string, number> = {};
  const deadByReason: Record<string, number> = {};
  const unaccounted: { eventId: string; source?: string }[] = [];
  let writtenRecords = 0;
  let deliveredAgain = 0;

  for (const [eventId, { records, source }] of evidence.written) {
    writtenRecords += records;
    const fate = fateOf(eventId, evidence);
    if (fate === 'unaccounted') unaccounted.push({ eventId, ...(source !== undefined && { source }) });
    else counts[fate]++;
    if (fate === 'waiting') countIn(waitingByLane, evidence.waiting.get(eventId)?.[0] ?? 'main');
    if (fate === 'dead') countIn(deadByReason, evidence.dead.get(eventId) ?? 'unknown');
    if ((evidence.attempted.get(eventId)?.delivered ?? 0) > 1) deliveredAgain++;
  }

  const { customer, written } = evidence;
  return {
    customer,
    range,
    written: written.size,
    writtenRecords,
    ...counts,
    waitingByLane,
    deadByReason,
    deliveredAgain,
    unaccounted,
  };
}

export function addsUp({ unaccounted }: Reconciliation): boolean {
  return unaccounted.length === 0;
}

function countIn(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
