/**
 * The records of the intake in progress, in one membership of the group. It ends with the membership: the offsets are
 * then read again.
 */
import { Ending } from '@databridge/kernel/ending';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { CommittedOffset, ConsumedBatch, TopicPartition } from '@databridge/kernel/kafka/records';
import type { BackoffLimits } from '@databridge/kernel/time/backoff';
import { systemClock } from '@databridge/kernel/time/clock';
import { decodeIntakeTally, encodeIntakeTally, type IntakeTally } from '@databridge/schemas/records/intake-tally';

/** The delays between tries of a write, a commit or a failed batch. */
export const BACKOFF: BackoffLimits = { firstMs: 100, longestMs: 10_000 };

/** A batch from its fetch until it is done. */
export interface OpenBatch {
  readonly nextOffset: number;
  readonly bytes: number;
  /** Append time of its first record. */
  readonly appendedAtMs: number | undefined;
  isDone: boolean;
  /** The number of records that no subscription matched. */
  unmatched: number;
  /** The number of copies that filters excluded. */
  filtered: number;
}

/**
 * One partition. Batches are processed in parallel, so that one that waits for a schema does not delay the others; but
 * the offset advances only past a batch that is done together with all before it.
 */
export class PartitionProgress implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  isPaused = false;
  /** The counts of the batches that are not committable yet. */
  openBytes = 0;
  readonly #open: OpenBatch[] = [];
  #committable: number | undefined;
  /** The counts of everything before the committable offset. */
  #tally: IntakeTally = { unmatched: 0, filtered: 0, sinceMs: 0 };

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  begin(batch: ConsumedBatch): OpenBatch {
    const open = {
      nextOffset: batch.nextOffset,
      bytes: bytesOf(batch),
      appendedAtMs: batch.records[0]?.timestampMs,
      ...NOTHING_DONE,
    };
    this.#open.push(open);
    this.openBytes += open.bytes;
    return open;
  }

  /** Append time of the first record that is not done. */
  get oldestOpenMs(): number | undefined {
    return this.#open.find(({ isDone }) => !isDone)?.appendedAtMs;
  }

  finish(batch: OpenBatch): void {
    batch.isDone = true;
    while (this.#open[0]?.isDone) {
      const first = this.#open.shift() as OpenBatch;
      this.openBytes -= first.bytes;
      this.#committable = first.nextOffset;
      this.#count(first);
    }
  }

  /** Adds the counts from before this membership, up to the offset that it began with. */
  goOnFrom({ unmatched, filtered, sinceMs }: IntakeTally): void {
    this.#count({ unmatched, filtered });
    this.#tally = { ...this.#tally, sinceMs };
  }

  #count({ unmatched, filtered }: Pick<IntakeTally, 'unmatched' | 'filtered'>): void {
    const { unmatched: before, filtered: filteredBefore, sinceMs } = this.#tally;
    this.#tally = { unmatched: before + unmatched, filtered: filteredBefore + filtered, sinceMs };
  }

  /** @returns the offsets to commit, once: if the commit fails, {@link restore} them */
  take(): CommittedOffset | undefined {
    if (this.#committable === undefined) return undefined;
    const { topic, partition } = this;
    const offset = { topic, partition, offset: this.#committable, metadata: encodeIntakeTally(this.#tally) };
    this.#committable = undefined;
    return offset;
  }

  restore({ offset }: CommittedOffset): void {
    this.#committable ??= offset;
  }
}

export class IntakeProgress {
  readonly membership: Membership;
  isCommitting = false;
  /** True if the earlier counts are known, and so offsets may be committed. */
  hasTallies = false;
  readonly #partitions = new Map<string, PartitionProgress>();
  readonly #ending = new Ending();

  constructor(membership: Membership) {
    this.membership = membership;
  }

  /** True if the work is pointless: the membership has ended, or {@link end} was called. */
  get isOver(): boolean {
    return this.#ending.hasEnded || !this.membership.isCurrent;
  }

  end(): void {
    this.#ending.end();
  }

  /** Waits for the first of `others`, or the end. Their results after the end are ignored, including failures. */
  async untilOver(others: readonly Promise<unknown>[]): Promise<void> {
    // biome-ignore lint/plugin: look-ups end within the time-out of the registry.
    const first = Promise.race(others);
    if (!this.isOver) return void (await this.#ending.orEnded(first));
    // The look-ups of a membership that has ended are rejected when the service stops.
    first.catch(() => undefined);
  }

  /** Waits for the delay or the end, whichever comes first. */
  async pause(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = systemClock.after(delayMs, resolve);
    await this.untilOver([promise]);
    timer.cancel();
  }

  get partitions(): PartitionProgress[] {
    return [...this.#partitions.values()];
  }

  get openBytes(): number {
    return this.partitions.reduce((sum, { openBytes }) => sum + openBytes, 0);
  }

  /** Append time of the oldest record that was fetched and is not done. */
  get oldestOpenMs(): number | undefined {
    const times = this.partitions.flatMap(({ oldestOpenMs }) => oldestOpenMs ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  of({ topic, partition }: TopicPartition): PartitionProgress {
    const key = `${topic}/${partition}`;
    const known = this.#partitions.get(key);
    if (known) return known;
    const progress = new PartitionProgress({ topic, partition });
    this.#partitions.set(key, progress);
    return progress;
  }

  /** @param committed the group's offsets before this membership committed any */
  goOnFrom(committed: readonly CommittedOffset[], nowMs: number): void {
    const found = new Map(committed.map((one) => [`${one.topic}/${one.partition}`, decodeIntakeTally(one.metadata)]));
    for (const place of this.membership.assignment) {
      const before = found.get(`${place.topic}/${place.partition}`);
      this.of(place).goOnFrom(before ?? { unmatched: 0, filtered: 0, sinceMs: nowMs });
    }
    this.hasTallies = true;
  }

  takeCommittable(): CommittedOffset[] {
    return this.partitions.flatMap((progress) => progress.take() ?? []);
  }

  restore(offsets: readonly CommittedOffset[]): void {
    for (const offset of offsets) this.of(offset).restore(offset);
  }
}

const NOTHING_DONE = { isDone: false, unmatched: 0, filtered: 0 };

/** The memory of a record besides its key and value. */
const RECORD_OVERHEAD_BYTES = 200;

function bytesOf({ records }: ConsumedBatch): number {
  return records.reduce(
    (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES,
    0,
  );
}
