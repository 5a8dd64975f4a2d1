import { setImmediate } from 'node:timers/promises';
import type { GroupConsumerOptions } from '@databridge/kernel/kafka/groups/consumer-options';
import type { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { CommittedOffset, ConsumedBatch, ConsumedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import type { EventReaders } from '@databridge/kernel/registry/event-readers';
import { Backoff } from '@databridge/kernel/time/backoff';
import { systemClock } from '@databridge/kernel/time/clock';
import type { EventType } from '@databridge/schemas/event/event-types';
import type { SubscriptionIndex } from '@databridge/schemas/subscription/match';
import type { Tracer } from '@opentelemetry/api';
import { BACKOFF, IntakeProgress, type OpenBatch, type PartitionProgress } from './intake-progress.ts';
import { OwnFaults } from './own-faults.ts';
import { RecordWriter, type RecordWriterParts } from './record-writer.ts';
import { BatchRouter, type BatchRouterParts } from './routing/batch-router.ts';
import { RouteTraces } from './routing/route-traces.ts';

export interface FanOutParts extends BatchRouterParts, RecordWriterParts {
  readonly eventTypes: readonly EventType[];
  readonly subscriptions: SubscriptionIndex;
  readonly readers: EventReaders;
  /** The committed offsets of the group of fan-out. */
  readonly committedOffsets: () => Promise<readonly CommittedOffset[]>;
  /** If omitted, nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** The limit of intake records in memory; a partition that has used up its share is paused. */
  readonly maxInFlightBytes: number;
}

/** A partition's share of the memory is enough for at least one fetch. */
const MIN_SHARE_BYTES = 1024 * 1024;

/** Copies intake records to the customers that subscribed to them. */
export class FanOut {
  readonly #parts: FanOutParts;
  readonly #eventTypes: ReadonlyMap<string, EventType>;
  readonly #consumer: GroupConsumer;
  readonly #router: BatchRouter;
  readonly #writer: RecordWriter;
  readonly #faults: OwnFaults;
  readonly #working = new Set<Promise<void>>();
  #progress: IntakeProgress | undefined;
  #isStopping = false;

  /** @param createConsumer receives the callbacks, and makes the member of the fan-out group */
  constructor(
    parts: FanOutParts,
    createConsumer: (callbacks: Pick<GroupConsumerOptions, 'onJoined' | 'onLost' | 'onBatch'>) => GroupConsumer,
  ) {
    this.#parts = parts;
    this.#router = new BatchRouter(parts);
    this.#faults = new OwnFaults(parts.metrics);
    this.#writer = new RecordWriter(parts, this.#faults);
    this.#eventTypes = new Map(parts.eventTypes.map((eventType) => [eventType.topic, eventType]));
    this.#consumer = createConsumer({
      onJoined: (membership) => {
        this.#progress = new IntakeProgress(membership);
      },
      onLost: () => this.#forget(),
      onBatch: (membership, batch) => this.#accept(membership, batch),
    });
  }

  /** Resolves when this instance has joined the group. */
  async start(): Promise<void> {
    await this.#consumer.start();
  }

  /** Accepts no more batches, finishes the current writes, commits and leaves. Waiting batches are read again. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#progress?.end();
    await Promise.all(this.#working);
    if (this.#progress) await this.#commit(this.#progress);
    await this.#consumer.stop();
  }

  /** The intake partitions that this instance owns at present. */
  get assignment(): readonly TopicPartition[] {
    return this.#progress === undefined || this.#progress.isOver ? [] : this.#progress.membership.assignment;
  }

  /** Append time of the oldest record that was fetched and is not routed. */
  get oldestOpenMs(): number | undefined {
    return this.#progress?.oldestOpenMs;
  }

  notReadyBecause(): string | undefined {
    if (!this.#progress || this.#progress.isOver) return 'not a member of the consumer group';
    if (this.#parts.readers.waitingForRegistry > 0) return 'the schema registry is not reachable';
    const doing = this.#faults.present;
    return doing === undefined ? undefined : `Kafka refuses to ${doing}`;
  }

  /**
   * The life of one intake batch, in turns of bounded time: route records → write copies and quarantined records in one
   * produce request → next turn. Records that wait for a schema follow when it is known. Only then may the batch's
   * offset be committed.
   * @returns false if it was interrupted by a stop, or because another member owns the partition now. The batch is read
   * again then, and copies that were written already are written twice, under the same event ids.
   */
  async #fanOut(progress: IntakeProgress, batch: ConsumedBatch, open: OpenBatch): Promise<boolean> {
    const eventType = this.#eventTypes.get(batch.topic);
    if (!eventType) throw new Error(`no event type is configured for intake topic ${batch.topic}`);
    const { readers } = this.#parts;
    // A batch that failed half-way begins again.
    open.unmatched = 0;
    open.filtered = 0;
    let left = batch.records;
    while (left.length > 0) {
      const waiting: ConsumedRecord[] = [];
      const unknownSchemaIds = new Set<number>();
      while (left.length > 0) {
        const traces = this.#parts.tracer && new RouteTraces(this.#parts.tracer, batch);
        // Other partitions have used up the turn: one record may have costly filters, and each partition would route
        // one.
        while (!this.#router.hasTime) await setImmediate();
        const routed = this.#router.route(left, eventType, batch, traces);
        const isWritten = await this.#writer.write(progress, routed.records);
        traces?.end(isWritten);
        if (!isWritten) return false;
        this.#router.count(eventType, left, routed);
        open.unmatched += routed.unmatched;
        open.filtered += routed.filteredOut;
        waiting.push(...routed.undecided);
        for (const id of routed.unknownSchemaIds) unknownSchemaIds.add(id);
        left = routed.left;
        // Producing no records takes no time, but heartbeats need a turn of the event loop.
        if (left.length > 0) await setImmediate();
      }
      if (waiting.length === 0) return true;
      await progress.untilOver([...unknownSchemaIds].map((schemaId) => readers.load(eventType, schemaId)));
      if (progress.isOver) return false;
      left = waiting;
    }
    return true;
  }

  #accept(membership: Membership, batch: ConsumedBatch): void {
    const progress = this.#progress;
    if (this.#isStopping || progress?.membership !== membership || progress.isOver) return;
    const lane = progress.of(batch);
    const open = lane.begin(batch);
    const work = this.#work(progress, lane, open, batch);
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
    this.#throttle(progress, lane);
  }

  async #work(progress: IntakeProgress, lane: PartitionProgress, open: OpenBatch, batch: ConsumedBatch): Promise<void> {
    const backoff = new Backoff(BACKOFF);
    for (;;) {
      try {
        if (!(await this.#fanOut(progress, batch, open))) return;
        break;
      } catch (error) {
        if (progress.isOver) return;
        // Mistakes of single records end in quarantine. This is an internal error, and waiting loses nothing.
        const { topic, partition, nextOffset } = batch;
        const retryInMs = backoff.next();
        this.#parts.log.error(
          { event: 'fan_out_batch_failed', err: error, topic, partition, nextOffset, retryInMs },
          'intake batch failed; trying again',
        );
        await progress.pause(retryInMs);
      }
    }
    lane.finish(open);
    this.#throttle(progress, lane);
    await this.#commit(progress);
  }

  /** Makes one commit at a time; batches that finish in the meantime go into the next one. */
  async #commit(progress: IntakeProgress): Promise<void> {
    if (progress.isCommitting) return;
    progress.isCommitting = true;
    const self = Symbol();
    try {
      const backoff = new Backoff(BACKOFF);
      while (progress.membership.isCurrent) {
        let offsets: CommittedOffset[] = [];
        try {
          if (!progress.hasTallies) progress.goOnFrom(await this.#parts.committedOffsets(), systemClock.nowMs());
          offsets = progress.takeCommittable();
          if (offsets.length === 0) return;
          await this.#consumer.commit(progress.membership, offsets);
        } catch (error) {
          progress.restore(offsets);
          if (!progress.membership.isCurrent) return;
          this.#faults.note(self, 'commit');
          const retryInMs = backoff.next();
          this.#parts.log.error({ event: 'commit_failed', err: error, offsets, retryInMs }, 'offset commit failed');
          if (progress.isOver) return;
          await progress.pause(retryInMs);
        }
      }
    } finally {
      progress.isCommitting = false;
      this.#faults.end(self);
    }
  }

  /** Limits the memory of open batches. Only fetching stops: heartbeats continue, and open batches are finished. */
  #throttle(progress: IntakeProgress, lane: PartitionProgress): void {
    const { maxInFlightBytes, metrics } = this.#parts;
    metrics.inFlightBytes.set(progress.openBytes);
    if (progress.isOver) return;
    const share = Math.max(MIN_SHARE_BYTES, maxInFlightBytes / Math.max(1, progress.membership.assignment.length));
    if (!lane.isPaused && lane.openBytes >= share) {
      lane.isPaused = true;
      this.#consumer.pause([lane]);
    } else if (lane.isPaused && lane.openBytes < share / 2) {
      lane.isPaused = false;
      this.#consumer.resume([lane]);
    }
  }

  #forget(): void {
    this.#progress?.end();
    this.#parts.metrics.lag.reset();
    this.#parts.metrics.inFlightBytes.set(0);
  }
}
