import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { LaneStart } from '@databridge/kernel/kafka/lane-reader/group-options';
import { type CommittedOffset, type ConsumedBatch, keyOf, type TopicPartition } from '@databridge/kernel/kafka/records';
import type { CommitPoint } from '@databridge/kernel/offsets/offset-tracker';
import { OffsetTracker } from '@databridge/kernel/offsets/offset-tracker';
import type { Clock } from '@databridge/kernel/time/clock';
import type { BufferedRecord, LaneId } from './buffered-records.ts';
import type { CustomerBytes } from './byte-budget.ts';
import { FRESH_FIRST_LIMITS, type FreshFirst } from './fresh-first.ts';
import { firstAttemptAtMs, isDue, Lane } from './lane.ts';

/** The offset to commit, and the lane to notify of the commit. */
export interface LaneCommit {
  readonly lane: Lane;
  readonly point: CommitPoint;
}

/** The share applies while the main lane has records, too. */
const RETRIES_SHARE = 0.5;
const ROUNDING = 1e-9;
const IN_ORDER: FreshFirst = { backlogShare: () => undefined, limits: FRESH_FIRST_LIMITS };

/**
 * All lanes of a customer during one membership. It ends with that membership: results of deliveries from an earlier
 * one find no lane and are ignored.
 */
export class LaneSet {
  readonly #membership: Membership;
  readonly #lanes = new Map<string, Lane>();
  /** The same lanes by the ids that their records have: they are looked up several times per delivery. */
  readonly #byId = new Map<LaneId, Lane>();
  readonly #bytes: CustomerBytes;
  readonly #clock: Clock;
  /** The `copyKey` of every record that is buffered or in flight. */
  readonly #present = new Set<string>();
  /** Shared with the set that adopts the lanes: a commit in progress may end for both. */
  #uncommitted = { count: 0 };
  readonly #freshFirst: FreshFirst;
  /**
   * The share that is due to backlog and retries of the deliveries that they had to share with fresh events, in
   * deliveries.
   */
  #owed = 0;
  #takesRetryNext = true;
  /** The latest offer of {@link next}, and the alternative that it had. */
  #offer: { record: BufferedRecord; isOlder: boolean; isContested: boolean; hadBoth: boolean } | undefined;
  #forks = 0;
  readonly #tests: BufferedRecord[] = [];

  /** @param freshFirst if omitted, everything is sent in order */
  constructor(membership: Membership, budget: CustomerBytes, clock: Clock, freshFirst: FreshFirst = IN_ORDER) {
    this.#membership = membership;
    this.#bytes = budget;
    this.#clock = clock;
    this.#freshFirst = freshFirst;
  }

  get membership(): Membership {
    return this.#membership;
  }

  /** Deliveries that ended since the last commit. */
  get uncommittedCount(): number {
    return this.#uncommitted.count;
  }

  get lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** The number of records dropped since the last call because another copy of the same record was present. */
  takeForks(): number {
    const forks = this.#forks;
    this.#forks = 0;
    return forks;
  }

  /** The tests that arrived since the last call. */
  takeTests(): BufferedRecord[] {
    return this.#tests.splice(0);
  }

  /**
   * Creates the lanes that it has not adopted.
   * @param committed the offsets that the group has committed; a partition that is not among them starts at the log's
   *   beginning
   * @returns the offset at which each of them starts
   */
  restore(committed: readonly CommittedOffset[], delayMsOf: (topic: string) => number): LaneStart[] {
    const known = new Map(committed.map((one) => [keyOf(one), one]));
    return this.#membership.assignment.flatMap((at) => {
      const key = keyOf(at);
      if (this.#lanes.has(key)) return [];
      const offset = known.get(key)?.offset ?? 0;
      const tracker = new OffsetTracker(offset, known.get(key)?.metadata ?? null);
      const lane = new Lane(at, delayMsOf(at.topic), tracker, this.#bytes, this.#freshFirst);
      this.#put(key, lane);
      return [{ ...at, offset: lane.cursor }];
    });
  }

  /**
   * Continues reading that partition at `to`. If that is further on, the records between are gone from the log. If it
   * is further back, the log is a new one: its offsets are not those that were done.
   */
  jump(at: TopicPartition, to: number): void {
    const before = this.laneOf(at);
    if (before === undefined || before.moveOnTo(to)) return;
    before.discard();
    const lane = new Lane(at, before.id.delayMs, new OffsetTracker(to, null), this.#bytes, this.#freshFirst);
    this.#byId.delete(before.id);
    this.#put(keyOf(at), lane);
    // Records in flight from the old log must not make records of the new one count as forks: a repeat is better than a
    // loss.
    this.#present.clear();
    for (const one of this.#lanes.values()) for (const { copyKey } of one.buffered) this.#present.add(copyKey);
  }

  /** Takes over the lanes of the membership that this one continues. */
  adopt(previous: LaneSet): void {
    for (const [key, lane] of previous.#lanes) {
      this.#put(key, lane);
    }
    for (const copyKey of previous.#present) this.#present.add(copyKey);
    this.#uncommitted = previous.#uncommitted;
    for (const test of previous.#tests.splice(0)) this.#tests.push(test);
    previous.#lanes.clear();
    previous.#byId.clear();
  }

  laneOf(at: TopicPartition): Lane | undefined {
    return this.#lanes.get(keyOf(at));
  }

  /** Returns whether the record's lane belongs to this membership, and the membership is current. */
  owns(record: BufferedRecord): boolean {
    return this.#membership.isCurrent && this.#laneWith(record.lane) !== undefined;
  }

  /** @returns the lane that the record was taken from */
  take(record: BufferedRecord): Lane | undefined {
    const lane = this.#laneWith(record.lane);
    lane?.take(record);
    this.#settleShares(record);
    return lane;
  }

  /** Puts the record back to its place, not done and without an attempt used up. */
  putBack(record: BufferedRecord): void {
    this.#laneWith(record.lane)?.putBack(record);
  }

  #laneWith(id: LaneId): Lane | undefined {
    return this.#byId.get(id);
  }

  accept(batch: ConsumedBatch): void {
    this.laneOf(batch)?.accept(
      batch,
      this.#clock,
      (copyKey) => this.#noteCopy(copyKey),
      (test) => this.#tests.push(test),
    );
  }

  /**
   * The record to send next: main lane and due retries alternate. Where fresh events are sent first, backlog and
   * retries get their share while there are fresh ones, and everything while there are none.
   * @returns if there is none, when the first retry is due (monotonic ms), if there is one
   */
  offer(monotonicMs: number): BufferedRecord | number | undefined {
    let fresh: BufferedRecord | undefined;
    let backlog: BufferedRecord | undefined;
    let retry: BufferedRecord | undefined;
    for (const lane of this.#lanes.values()) {
      // In the order in which they arrived or came due, so that no partition is starved by the backlog of another.
      if (lane.isRetry) retry = earlier(retry, lane.next());
      else {
        fresh = earlier(fresh, lane.nextFresh(monotonicMs));
        backlog = earlier(backlog, lane.nextOfBacklog());
      }
    }
    const dueAtMs = retry?.dueAtMs;
    if (retry && !isDue(retry, monotonicMs)) retry = undefined;
    const hadBoth = backlog !== undefined && retry !== undefined;
    const older = hadBoth && this.#takesRetryNext ? retry : (backlog ?? retry);
    const isOlder = older !== undefined && (fresh === undefined || this.#owed + this.#olderShare >= 1 - ROUNDING);
    const record = isOlder ? older : fresh;
    if (record === undefined) return dueAtMs;
    const isContested = fresh !== undefined && older !== undefined;
    this.#offer = isContested || hadBoth ? { record, isOlder, isContested, hadBoth } : undefined;
    return record;
  }

  get #olderShare(): number {
    return this.#freshFirst.backlogShare() ?? RETRIES_SHARE;
  }

  /** Only taken records count: an offered one may have to wait for a rate token. */
  #settleShares(record: BufferedRecord): void {
    const offer = this.#offer;
    if (offer?.record !== record) return;
    this.#offer = undefined;
    if (offer.isContested) this.#owed += this.#olderShare - (offer.isOlder ? 1 : 0);
    if (offer.isOlder && offer.hadBoth) this.#takesRetryNext = !this.#takesRetryNext;
  }

  /** Called when the gate opens after it was closed. */
  noteOutageEnd(): void {
    for (const lane of this.#lanes.values()) lane.noteOutageEnd();
  }

  /** Returns whether a buffered record may be sent at this time. */
  hasDue(monotonicMs: number): boolean {
    for (const lane of this.#lanes.values()) {
      const first = lane.first;
      if (first !== undefined && (!lane.isRetry || isDue(first, monotonicMs))) return true;
    }
    return false;
  }

  /**
   * The due record with the oldest first attempt in any lane; records that pass `isPreferred` come before all others.
   */
  oldestDue(monotonicMs: number, isPreferred: (record: BufferedRecord) => boolean): BufferedRecord | undefined {
    const due = [...this.#lanes.values()].flatMap((lane) => lane.oldestDue(monotonicMs, isPreferred) ?? []);
    const preferred = due.filter(isPreferred);
    return (preferred.length > 0 ? preferred : due).reduce<BufferedRecord | undefined>(
      (oldest, record) => (oldest && firstAttemptAtMs(oldest) <= firstAttemptAtMs(record) ? oldest : record),
      undefined,
    );
  }

  done(record: BufferedRecord): void {
    this.#present.delete(record.copyKey);
    this.#laneWith(record.lane)?.tracker.done(record.offset);
    this.#uncommitted.count++;
  }

  /** @param count the deliveries that had ended when the commit was composed */
  noteCommitted(count: number): void {
    this.#uncommitted.count -= count;
  }

  /** The offsets to commit, of the lanes where they changed or of all. */
  commitPoints(which: 'changed' | 'all'): LaneCommit[] {
    const commits: LaneCommit[] = [];
    for (const lane of this.#lanes.values()) {
      const point = lane.tracker.uncommitted() ?? (which === 'all' ? lane.tracker.lastCommitted : undefined);
      if (point) commits.push({ lane, point });
    }
    return commits;
  }

  discard(): void {
    for (const lane of this.#lanes.values()) lane.discard();
    this.#lanes.clear();
    this.#byId.clear();
    this.#present.clear();
  }

  #put(key: string, lane: Lane): void {
    this.#lanes.set(key, lane);
    this.#byId.set(lane.id, lane);
  }

  /** Notes the record. @returns whether another copy of it is buffered or in flight already */
  #noteCopy(copyKey: string): boolean {
    if (this.#present.has(copyKey)) {
      this.#forks++;
      return true;
    }
    this.#present.add(copyKey);
    return false;
  }
}

function earlier(a: BufferedRecord | undefined, b: BufferedRecord | undefined): BufferedRecord | undefined {
  return a !== undefined && (b === undefined || a.dueAtMs <= b.dueAtMs) ? a : b;
}
