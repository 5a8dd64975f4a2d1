/**
 * The proof that nothing is lost: every event that fan-out wrote for a customer is delivered, waiting, dead-lettered,
 * or taken out or skipped by an operator. Pure: `gather-evidence.ts` reads the evidence.
 */
import { eventKeyOf } from '@databridge/schemas/records/identity';

export interface TimeRange {
  /** The start by fan-out's append time, ms since the epoch; if omitted, from the start. */
  readonly fromMs?: number;
  /** The end, exclusive; if omitted, until now. */
  readonly toMs?: number;
}

/**
 * The evidence of one customer's events in the topics, by event key (identity.ts of the schemas). Evidence from an
 * older version, or from a foreign writer, may lack the source: it is kept under the event id alone.
 */
export interface Evidence {
  readonly customer: string;
  /** Main-lane records of the range that are not replays. */
  readonly written: ReadonlyMap<string, WrittenEvent>;
  /** Records that are not done, with the lanes they wait in (`main`, or the retry lane's delay). */
  readonly waiting: ReadonlyMap<string, readonly string[]>;
  /** Dead letters that were neither redriven nor discarded, with the reason of each. */
  readonly dead: ReadonlyMap<string, string>;
  /** Keys of dead letters that were redriven or discarded, as long as Kafka keeps their tombstones. */
  readonly tombstones: ReadonlySet<string>;
  readonly attempted: ReadonlyMap<string, AttemptedEvent>;
  /** Copies of the range that a redelivery or a redrive wrote, by the key of the replay. */
  readonly replays?: ReadonlyMap<string, WrittenReplay>;
  /** Events that were erased. */
  readonly erased?: ReadonlySet<string>;
  /** Records that are done, and older than the attempt log: their individual fate is not known any more. */
  readonly settled?: ReadonlySet<string>;
}

export interface WrittenReplay {
  readonly eventId: string;
  readonly replayId: string;
  readonly source?: string;
}

export interface WrittenEvent {
  readonly eventId: string;
  /** More than one if fan-out wrote it again after a failure. */
  readonly records: number;
  readonly source?: string;
}

export interface AttemptedEvent {
  readonly attempts: number;
  readonly delivered: number;
  /** The outcome of the last attempt. */
  readonly lastOutcome: string;
}

export const EVENT_FATES = [
  'delivered',
  'waiting',
  'dead',
  'removed',
  'skipped',
  'erased',
  'settled',
  'unaccounted',
] as const;
export type EventFate = (typeof EVENT_FATES)[number];

export interface Reconciliation {
  readonly customer: string;
  readonly range: TimeRange;
  /** Distinct events. */
  readonly written: number;
  /** Records of the main lane, repeats included. */
  readonly writtenRecords: number;
  readonly delivered: number;
  readonly waiting: number;
  /** The `waiting` events by lane; an event that is in two lanes counts in the first. */
  readonly waitingByLane: Readonly<Record<string, number>>;
  readonly dead: number;
  readonly deadByReason: Readonly<Record<string, number>>;
  /** It was a dead letter, which an operator discarded or redrove. */
  readonly removed: number;
  /** An operator moved the customer past it; it was not delivered. */
  readonly skipped: number;
  /** Erased with all copies: nothing else is known of it any more. */
  readonly erased: number;
  /** It was done before the attempt log begins, which is kept for 7 days. */
  readonly settled: number;
  /** Copies that redeliveries and redrives wrote; a lost one is among the unaccounted. */
  readonly replays: number;
  /** Accepted by the destination more than once, which "at least once" allows. */
  readonly deliveredAgain: number;
  /** Events and replays without any evidence: they are lost. */
  readonly unaccounted: readonly { readonly eventId: string; readonly source?: string; readonly replayId?: string }[];
}

/** The fate of each event that was written, by event key. */
export const fatesIn = (evidence: Evidence): Record<string, EventFate> =>
  Object.fromEntries([...evidence.written.keys()].map((eventKey) => [eventKey, fateOf(eventKey, evidence)]));

/**
 * The fate of an event by its evidence, the strongest first: an erased one is only that, whatever happened before; an
 * event that the destination accepted is delivered, whatever else happened.
 */
function fateOf(eventKey: string, evidence: Evidence): EventFate {
  if (evidence.erased?.has(eventKey)) return 'erased';
  return fateBy(keysOf(eventKey, evidence), evidence);
}

function fateBy(keys: readonly string[], evidence: Evidence): EventFate {
  const { attempted, waiting, dead, tombstones, settled } = evidence;
  const tried = found(attempted, keys);
  if (tried !== undefined && tried.delivered > 0) return 'delivered';
  if (found(waiting, keys) !== undefined) return 'waiting';
  if (found(dead, keys) !== undefined) return 'dead';
  if (tried?.lastOutcome === 'skipped') return 'skipped';
  if (keys.some((key) => tombstones.has(key))) return 'removed';
  // Its last attempt made it a dead letter, and compaction has removed even the tombstone.
  if (tried !== undefined && DEADLY.has(tried.lastOutcome)) return 'removed';
  // Below the committed offset: it was delivered, or written to the next topic, before the attempt log begins.
  if (keys.some((key) => settled?.has(key))) return 'settled';
  return 'unaccounted';
}

/** The event's own key comes first, then the event id, under which evidence without a source is kept. */
function keysOf(eventKey: string, { written }: Evidence): readonly string[] {
  const eventId = written.get(eventKey)?.eventId;
  return eventId === undefined ? [eventKey] : [eventKey, eventId];
}

function found<Value>(evidence: ReadonlyMap<string, Value>, keys: readonly string[]): Value | undefined {
  for (const key of keys) {
    const value = evidence.get(key);
    if (value !== undefined) return value;
  }
  return undefined;
}

const DEADLY = new Set(['refused', 'internal']);

export function reconcile(evidence: Evidence, range: TimeRange): Reconciliation {
  const counts = { delivered: 0, waiting: 0, dead: 0, removed: 0, skipped: 0, erased: 0, settled: 0 };
  const waitingByLane: Record<string, number> = {};
  const deadByReason: Record<string, number> = {};
  const unaccounted: { eventId: string; source?: string; replayId?: string }[] = [];
  let writtenRecords = 0;
  let deliveredAgain = 0;

  for (const [eventKey, { eventId, records, source }] of evidence.written) {
    writtenRecords += records;
    const fate = fateOf(eventKey, evidence);
    const keys = keysOf(eventKey, evidence);
    if (fate === 'unaccounted') unaccounted.push({ eventId, ...(source !== undefined && { source }) });
    else counts[fate]++;
    if (fate === 'waiting') countIn(waitingByLane, found(evidence.waiting, keys)?.[0] ?? 'main');
    if (fate === 'dead') countIn(deadByReason, found(evidence.dead, keys) ?? 'unknown');
    if (fate !== 'erased' && (found(evidence.attempted, keys)?.delivered ?? 0) > 1) deliveredAgain++;
  }

  // A replay has its own fate: an earlier delivery of its event says nothing about it.
  for (const [key, { eventId, replayId, source }] of evidence.replays ?? []) {
    if (evidence.erased?.has(eventKeyOf({ eventId, source }))) continue;
    if (fateBy([key], evidence) !== 'unaccounted') continue;
    unaccounted.push({ eventId, replayId, ...(source !== undefined && { source }) });
  }

  const { customer, written } = evidence;
  return {
    customer,
    range,
    written: written.size,
    writtenRecords,
    replays: evidence.replays?.size ?? 0,
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
