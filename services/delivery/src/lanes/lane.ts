import type { ConsumedBatch, TopicPartition } from '@databridge/kernel/kafka/records';
import type { OffsetTracker } from '@databridge/kernel/offsets/offset-tracker';
import type { Clock } from '@databridge/kernel/time/clock';
import { type DeliveryHeaders, type HeaderValues, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, identified } from '@databridge/schemas/records/identity';
import type { CustomerBytes } from './byte-budget.ts';
import { type HeldRecord, HeldRecords, type LaneId } from './held-records.ts';

/** What is held here comes due sooner or later: more of it at hand only costs memory. */
const MAX_HELD_RETRIES = 10_000;
/** More than is sent while the next fetch is under way; few enough to be garbage before they grow old. */
const MAX_HELD_FRESH = 1_000;
/** An object, its headers and its place in the tracker, beside the payload's bytes. */
const RECORD_OVERHEAD_BYTES = 512;

/**
 * One partition of a customer's main or retry topic during one membership: the records that are held in memory until
 * they are due and the destination may have them, and which of its offsets are done.
 */
export class Lane {
  /** What its records name it by. */
  readonly id: LaneId;
  readonly tracker: OffsetTracker;
  readonly #bytes: CustomerBytes;
  readonly #held = new HeldRecords();
  #heldBytes = 0;
  /** One past the partition's last offset, as of the last fetch. */
  #highWatermark = 0;
  #isPaused = false;
  #isDiscarded = false;

  constructor(at: TopicPartition, delayMs: number, tracker: OffsetTracker, budget: CustomerBytes) {
    this.id = { topic: at.topic, partition: at.partition, delayMs };
    this.tracker = tracker;
    this.#bytes = budget;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /** Records that are not done, those included that are not fetched yet. While the lane is full, no fetch tells of new ones. */
  get waitingCount(): number {
    return this.tracker.incompleteCount + Math.max(0, this.#highWatermark - this.tracker.position);
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

  /** Those that wait in memory; those in flight are not among them. */
  get held(): Iterable<HeldRecord> {
    return this.#held;
  }

  /**
   * Takes in what was fetched, except what is held or done already.
   * @param clock tells when a record comes due. From then on only the monotonic clock counts, and the wait is never
   *   longer than the lane's delay: no clock that is set back can hold a record for longer
   * @param isFork says whether another copy of the same record is held or in flight; a fork is done without being sent
   * @param takeTest takes a test, which waits for nothing
   * @returns how many records were new
   */
  accept(
    batch: ConsumedBatch,
    clock: Clock,
    isFork: (copyKey: string) => boolean,
    takeTest: (test: HeldRecord) => void = () => undefined,
  ): number {
    const before = this.#held.size;
    const nowMs = clock.nowMs();
    const monotonicMs = clock.monotonicMs();
    for (const { offset, timestampMs, key, value, headers } of batch.records) {
      if (!this.tracker.accept(offset)) continue;
      const facts = this.#factsOf(offset, headers);
      const ageMs = nowMs - clock.recordMs(timestampMs);
      // Whoever asked for a test is gone by then: one that a rewind brings back, say.
      const isLateTest = facts.testWithinMs !== undefined && ageMs > facts.testWithinMs;
      // A tombstone in a delivery topic carries nothing to deliver.
      const copyKey = copyKeyOf(facts);
      if (value === null || isLateTest || isFork(copyKey)) {
        this.tracker.done(offset);
        continue;
      }
      const bytes = value.length + RECORD_OVERHEAD_BYTES;
      if (facts.testWithinMs !== undefined) {
        takeTest({ lane: this.id, offset, dueAtMs: monotonicMs, key, value, facts, copyKey, bytes });
        continue;
      }
      const waitMs = Math.min(Math.max(this.id.delayMs - ageMs, 0), this.id.delayMs);
      this.#held.push({ lane: this.id, offset, dueAtMs: monotonicMs + waitMs, key, value, facts, copyKey, bytes });
      this.#holds(bytes);
    }
    this.tracker.advanceTo(batch.nextOffset);
    this.#highWatermark = batch.highWatermark;
    return this.#held.size - before;
  }

  #factsOf(offset: number, headers: HeaderValues): DeliveryHeaders {
    return identified(readDeliveryHeaders(headers), { topic: this.topic, partition: this.partition, offset });
  }

  /** The record that comes due first. */
  get first(): HeldRecord | undefined {
    return this.#held.first();
  }

  /** The next record, due or not; undefined when nothing is held, or nothing may be taken for the moment. */
  next(): HeldRecord | undefined {
    return this.tracker.isCrowded ? undefined : this.#held.first();
  }

  /**
   * The due record that was first attempted the longest time ago, of those that pass `isPreferred` if there are any.
   * Looks at all that are due: for probes, which are rare.
   */
  oldestDue(monotonicMs: number, isPreferred: (record: HeldRecord) => boolean): HeldRecord | undefined {
    let oldest: HeldRecord | undefined;
    for (const record of this.#held) {
      if (!isDue(record, monotonicMs)) break;
      if (oldest === undefined || (isPreferred(record) && !isPreferred(oldest))) oldest = record;
      else if (isPreferred(record) === isPreferred(oldest) && firstAttemptAtMs(record) < firstAttemptAtMs(oldest)) {
        oldest = record;
      }
    }
    return oldest;
  }

  take(record: HeldRecord): void {
    this.#held.remove(record);
    this.#holds(-record.bytes);
  }

  putBack(record: HeldRecord): void {
    this.#held.putBack(record);
    this.#holds(record.bytes);
  }

  /** The membership is over: what it holds no longer counts, nor what may still be put back. */
  discard(): void {
    this.#holds(-this.#heldBytes);
    this.#isDiscarded = true;
  }

  get isFull(): boolean {
    const isMost = this.#heldBytes >= this.#bytes.laneBytes || this.#held.size >= this.#maxHeld;
    return this.#held.size > 0 && isMost;
  }

  /** Half of what it may hold is free. */
  get hasRoom(): boolean {
    const isHalf = this.#heldBytes <= this.#bytes.laneBytes / 2 && this.#held.size <= this.#maxHeld / 2;
    return this.#held.size === 0 || isHalf;
  }

  get #maxHeld(): number {
    return this.isRetry ? MAX_HELD_RETRIES : MAX_HELD_FRESH;
  }

  /** `pause` when the buffer is full, `resume` when half of it is free again, else undefined: as it is. */
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

  #holds(moreBytes: number): void {
    if (this.#isDiscarded) return;
    this.#bytes.changed(this.#heldBytes, this.#heldBytes + moreBytes);
    this.#heldBytes += moreBytes;
  }
}

export function isDue(record: HeldRecord, monotonicMs: number): boolean {
  return record.dueAtMs <= monotonicMs;
}

/** What was never attempted counts as attempted last. */
export function firstAttemptAtMs(record: HeldRecord): number {
  return record.facts.firstAttemptAtMs ?? Number.POSITIVE_INFINITY;
}
