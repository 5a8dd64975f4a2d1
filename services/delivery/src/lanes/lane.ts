import type { ConsumedBatch, TopicPartition } from '@databridge/kernel/kafka/records';
import type { OffsetTracker } from '@databridge/kernel/offsets/offset-tracker';
import type { Clock } from '@databridge/kernel/time/clock';
import { type DeliveryHeaders, type HeaderValues, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, identified } from '@databridge/schemas/records/identity';
import { type BufferedRecord, BufferedRecords, type LaneId } from './buffered-records.ts';
import type { CustomerBytes } from './byte-budget.ts';
import { dueAt } from './due-time.ts';
import { type FreshFirst, readsNextAt } from './fresh-first.ts';

/** Records buffered in a retry lane come due sooner or later: more of them in memory only cost memory. */
const MAX_BUFFERED_RETRIES = 10_000;
/**
 * More than is sent while the next fetch is in progress, and few enough to be freed before they reach the old
 * generation of the heap.
 */
const MAX_BUFFERED_FRESH = 1_000;
/** The memory of a record besides its payload: an object, its headers and its place in the tracker. */
const RECORD_OVERHEAD_BYTES = 512;

/** Backlog in memory, in parts of {@link MAX_BUFFERED_FRESH}: fresh events that waited too long are added to it. */
const MAX_BACKLOG_PARTS = 3;

/**
 * One partition of a customer's main or retry topic during one membership: the records that are buffered in memory until
 * they are due and may be sent, and the offsets that are done.
 *
 * A main lane may deliver fresh events first: then it reads in two places, at the end of the log and at the front of
 * the backlog, and buffers what it reads there apart (docs/decisions/fresh-first.md).
 */
export class Lane {
  /** The id by which its records name it. */
  readonly id: LaneId;
  readonly tracker: OffsetTracker;
  readonly #bytes: CustomerBytes;
  readonly #freshFirst: FreshFirst | undefined;
  /** All buffered records, unless fresh events are sent first. */
  readonly #fresh = new BufferedRecords();
  readonly #backlog = new BufferedRecords();
  /** The bytes that count in the shared budget. */
  #countedBytes = 0;
  /** One past the partition's last offset, as of the last fetch. */
  #highWatermark = 0;
  /** The offset at which the next fetch begins. */
  #cursor: number;
  /** The offset at which it would begin without a change. */
  #readsAt: number;
  #isRefilling = true;
  /**
   * True if all records in the log at the next answer are backlog: they were appended before the start, or in an
   * outage.
   */
  #isCatchingUp: boolean;
  #isPaused = false;
  #isDiscarded = false;

  /** @param freshFirst if omitted, everything is sent in the order of the log */
  constructor(
    at: TopicPartition,
    delayMs: number,
    tracker: OffsetTracker,
    budget: CustomerBytes,
    freshFirst?: FreshFirst,
  ) {
    this.id = { topic: at.topic, partition: at.partition, delayMs };
    this.tracker = tracker;
    this.#bytes = budget;
    this.#freshFirst = delayMs > 0 ? undefined : freshFirst;
    // Wherever it begins, the first answer tells whether there are new records at the end.
    this.#cursor = tracker.position;
    this.#readsAt = this.#cursor;
    // If offsets are done ahead, the previous worker had read ahead: records that arrived between the two workers are
    // as fresh as they were then.
    this.#isCatchingUp = tracker.gapCount === 0;
  }

  /** The offset at which reading starts. */
  get cursor(): number {
    return this.#cursor;
  }

  get bufferedCount(): number {
    return this.#fresh.size + this.#backlog.size;
  }

  /**
   * The number of records that are not done, including those that are not fetched yet. While the lane is full, no fetch
   * reports new ones.
   */
  get waitingCount(): number {
    return this.tracker.incompleteCount + this.tracker.unreadBelow(this.#highWatermark);
  }

  get topic(): string {
    return this.id.topic;
  }

  get partition(): number {
    return this.id.partition;
  }

  get isRetry(): boolean {
    return this.id.delayMs > 0;
  }

  /** The number of records that wait in memory, without those in flight. */
  get buffered(): Iterable<BufferedRecord> {
    return this.#backlog.size === 0 ? this.#fresh : this.#allBuffered();
  }

  *#allBuffered(): Generator<BufferedRecord> {
    yield* this.#backlog;
    yield* this.#fresh;
  }

  /**
   * Adds fetched records, except those that are buffered or done already.
   * @param clock tells when a record comes due. From then on only the monotonic clock counts, and the wait is never
   *   longer than the lane's delay: setting a clock back cannot hold a record for longer
   * @param isFork says whether another copy of the same record is buffered or in flight; a fork is done without being sent
   * @param takeTest takes a test, which does not wait
   * @returns how many records were new
   */
  accept(
    batch: ConsumedBatch,
    clock: Clock,
    isFork: (copyKey: string) => boolean,
    takeTest: (test: BufferedRecord) => void = () => undefined,
  ): number {
    const before = this.bufferedCount;
    const { end } = this.tracker;
    const isFreshFirst = this.#isFreshFirst;
    const nowMs = clock.nowMs();
    const monotonicMs = clock.monotonicMs();
    for (const { offset, timestampMs, value, headers } of batch.records) {
      if (!this.tracker.accept(offset)) continue;
      const facts = this.#factsOf(offset, headers);
      const ageMs = nowMs - clock.recordMs(timestampMs);
      // The test is old: its sender has stopped waiting, for example if a rewind reads it again.
      const isLateTest = facts.testWithinMs !== undefined && ageMs > facts.testWithinMs;
      // A tombstone in a delivery topic has nothing to deliver.
      const copyKey = copyKeyOf(facts);
      if (value === null || isLateTest || isFork(copyKey)) {
        this.tracker.done(offset);
        continue;
      }
      const bytes = value.length + RECORD_OVERHEAD_BYTES;
      if (facts.testWithinMs !== undefined) {
        takeTest({ lane: this.id, offset, dueAtMs: monotonicMs, value, facts, copyKey, bytes });
        continue;
      }
      const isBacklog = isFreshFirst && (offset < end || this.#isCatchingUp);
      const queue = isBacklog ? this.#backlog : this.#fresh;
      queue.add({
        lane: this.id,
        offset,
        dueAtMs: dueAt(this.id.delayMs, ageMs, monotonicMs),
        value,
        facts,
        copyKey,
        bytes,
      });
    }
    this.tracker.advanceTo(batch.nextOffset, batch.from);
    this.#highWatermark = batch.highWatermark;
    this.#readsAt = batch.nextOffset;
    if (isFreshFirst && this.#freshFirst) this.#jumpIfFarBehind(this.#freshFirst);
    this.#cursor = this.#readsNextAt();
    this.#count();
    return this.bufferedCount - before;
  }

  /**
   * Continues reading at `to`: the records before it are gone from the log.
   * @returns false if that is not further on
   */
  moveOnTo(to: number): boolean {
    if (!this.tracker.moveOnTo(to)) return false;
    this.#readsAt = to;
    this.#cursor = this.#readsNextAt();
    return true;
  }

  #factsOf(offset: number, headers: HeaderValues): DeliveryHeaders {
    return identified(readDeliveryHeaders(headers), { topic: this.topic, partition: this.partition, offset });
  }

  /** The record that comes due first. */
  get first(): BufferedRecord | undefined {
    return this.#backlog.first() ?? this.#fresh.first();
  }

  /** The next record, due or not; undefined if nothing is held, or nothing may be taken at present. */
  next(): BufferedRecord | undefined {
    return this.#unlessCrowded(this.first);
  }

  /** The next fresh record, in a lane that delivers fresh events first; in others, the next one. */
  nextFresh(monotonicMs: number): BufferedRecord | undefined {
    if (!this.#isFreshFirst) return this.next();
    this.#demote(monotonicMs - (this.#freshFirst?.limits.freshForMs ?? 0));
    return this.#unlessCrowded(this.#fresh.first());
  }

  /** The next record of the backlog, in a lane that delivers fresh events first. */
  nextOfBacklog(): BufferedRecord | undefined {
    return this.#isFreshFirst ? this.#unlessCrowded(this.#backlog.first()) : undefined;
  }

  /** While the finished offsets exceed the commit metadata, only the record that blocks the commit may be taken. */
  #unlessCrowded(record: BufferedRecord | undefined): BufferedRecord | undefined {
    return this.tracker.isCrowded && record?.offset !== this.tracker.lowest ? undefined : record;
  }

  /**
   * The due record with the oldest first attempt, of those that pass `isPreferred` if there are any. It examines all
   * due records: it is for probes, which are rare.
   */
  oldestDue(monotonicMs: number, isPreferred: (record: BufferedRecord) => boolean): BufferedRecord | undefined {
    let oldest: BufferedRecord | undefined;
    for (const record of this.buffered) {
      if (!isDue(record, monotonicMs)) break;
      if (oldest === undefined || (isPreferred(record) && !isPreferred(oldest))) oldest = record;
      else if (isPreferred(record) === isPreferred(oldest) && firstAttemptAtMs(record) < firstAttemptAtMs(oldest)) {
        oldest = record;
      }
    }
    return oldest;
  }

  take(record: BufferedRecord): void {
    if (!this.#fresh.remove(record)) this.#backlog.remove(record);
    this.#count();
  }

  putBack(record: BufferedRecord): void {
    const isBacklog = record.offset < (this.#backlog.last()?.offset ?? 0);
    (isBacklog ? this.#backlog : this.#fresh).add(record);
    this.#count();
  }

  /** Discards the lane at the end of its membership: neither its records nor those that are put back later count. */
  discard(): void {
    this.#bytes.updateBuffered(this.#countedBytes, 0);
    this.#countedBytes = 0;
    this.#isDiscarded = true;
  }

  get isFull(): boolean {
    if (!this.#isFreshFirst || this.tracker.gapCount === 0) return this.#isFullOf(this.#fresh);
    return this.#isFullOf(this.#fresh) && this.#isFullOf(this.#backlog);
  }

  /** True if half of its capacity is free. */
  get hasRoom(): boolean {
    const hasBacklog = this.#isFreshFirst && this.tracker.gapCount > 0;
    return this.#hasRoomIn(this.#fresh) || (hasBacklog && this.#hasRoomIn(this.#backlog));
  }

  /**
   * Called when the destination may be sent to again: records that came until now are backlog, later ones are fresh.
   */
  noteOutageEnd(): void {
    if (!this.#isFreshFirst) return;
    this.#demote(Number.POSITIVE_INFINITY);
    if (this.#isPaused || this.#highWatermark > this.tracker.end) this.#isCatchingUp = true;
  }

  /** The offset at which reading must continue; undefined if no change is needed. */
  cursorChange(): number | undefined {
    this.#cursor = this.#readsNextAt();
    if (this.#cursor === this.#readsAt) return undefined;
    this.#readsAt = this.#cursor;
    return this.#cursor;
  }

  /** `pause` if the buffer is full, `resume` if half of it is free again, otherwise undefined: no change. */
  flowChange(): 'pause' | 'resume' | undefined {
    if (this.isFull && !this.#isPaused) {
      this.#isPaused = true;
      return 'pause';
    }
    if (this.hasRoom && this.#isPaused) {
      this.#isPaused = false;
      return 'resume';
    }
    return undefined;
  }

  get #isFreshFirst(): boolean {
    return this.#freshFirst?.backlogShare() !== undefined;
  }

  #readsNextAt(): number {
    if (!this.#isFreshFirst) return this.tracker.position;
    if (this.#isFullOf(this.#backlog)) this.#isRefilling = false;
    else if (this.#hasRoomIn(this.#backlog)) this.#isRefilling = true;
    return readsNextAt({
      tracker: this.tracker,
      highWatermark: this.#highWatermark,
      freshHasRoom: !this.#isFullOf(this.#fresh),
      backlogHasRoom: this.#isRefilling,
    });
  }

  /** Then the records that were read last are old as well. */
  #jumpIfFarBehind({ limits }: FreshFirst): void {
    const { tracker } = this;
    const behind = this.#highWatermark - tracker.end;
    const isFarBehind = this.#isCatchingUp ? behind > 0 : behind > limits.jumpAtRecords;
    this.#isCatchingUp = false;
    if (!isFarBehind || tracker.gapCount >= limits.maxGaps) return;
    this.#demote(Number.POSITIVE_INFINITY);
    tracker.skipTo(this.#highWatermark);
  }

  /** The older records become backlog, as far as there is room for it in memory. */
  #demote(beforeMs: number): void {
    for (let first = this.#fresh.first(); first; first = this.#fresh.first()) {
      if (first.dueAtMs >= beforeMs || this.#backlog.size >= MAX_BACKLOG_PARTS * MAX_BUFFERED_FRESH) return;
      this.#fresh.shift();
      this.#backlog.add(first);
    }
  }

  #isFullOf(queue: BufferedRecords): boolean {
    return queue.size > 0 && (queue.bytes >= this.#maxBytes || queue.size >= this.#maxBuffered);
  }

  #hasRoomIn(queue: BufferedRecords): boolean {
    return queue.size === 0 || (queue.bytes <= this.#maxBytes / 2 && queue.size <= this.#maxBuffered / 2);
  }

  get #maxBuffered(): number {
    return this.isRetry ? MAX_BUFFERED_RETRIES : MAX_BUFFERED_FRESH;
  }

  /** Fresh events and backlog get half of the memory each. */
  get #maxBytes(): number {
    return this.#isFreshFirst ? this.#bytes.laneBytes / 2 : this.#bytes.laneBytes;
  }

  #count(): void {
    if (this.#isDiscarded) return;
    const bytes = this.#fresh.bytes + this.#backlog.bytes;
    if (bytes === this.#countedBytes) return;
    this.#bytes.updateBuffered(this.#countedBytes, bytes);
    this.#countedBytes = bytes;
  }
}

export function isDue(record: BufferedRecord, monotonicMs: number): boolean {
  return record.dueAtMs <= monotonicMs;
}

/** A record without an attempt sorts after those that have one. */
export function firstAttemptAtMs(record: BufferedRecord): number {
  return record.facts.firstAttemptAtMs ?? Number.POSITIVE_INFINITY;
}
