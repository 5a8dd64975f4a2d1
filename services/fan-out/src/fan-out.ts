import { setImmediate } from 'node:timers/promises';
import { KafkaPortError, ProduceError } from '@databridge/kernel/kafka/errors';
import type { GroupConsumerOptions } from '@databridge/kernel/kafka/groups/consumer-options';
import type { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type {
  CommittedOffset,
  ConsumedBatch,
  ConsumedRecord,
  ProducedRecord,
  RecordProducer,
  TopicPartition,
} from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { EventReaders } from '@databridge/kernel/registry/event-readers';
import { Backoff, type BackoffLimits } from '@databridge/kernel/time/backoff';
import { systemClock } from '@databridge/kernel/time/clock';
import type { EventType } from '@databridge/schemas/event/event-types';
import { ErasedEvents } from '@databridge/schemas/privacy/erasures';
import { customerOfDeliveryTopic } from '@databridge/schemas/records/topics';
import type { SubscriptionIndex } from '@databridge/schemas/subscription/match';
import type { Tracer } from '@opentelemetry/api';
import { FilterFailureLog } from './filter-failure-log.ts';
import { FilterShares } from './filter-shares.ts';
import { Filters } from './filters.ts';
import { IntakeProgress, type OpenBatch, type PartitionProgress } from './intake-progress.ts';
import type { FanOutMetrics } from './metrics.ts';
import { type Routed, routeRecords } from './route.ts';
import { RouteTraces } from './route-traces.ts';
import { withoutErased } from './without-erased.ts';

export interface FanOutParts {
  readonly eventTypes: readonly EventType[];
  readonly subscriptions: SubscriptionIndex;
  readonly readers: EventReaders;
  readonly producer: RecordProducer;
  /** If omitted, nothing was ever erased. */
  readonly erased?: Pick<ErasedEvents, 'isEmpty' | 'has'>;
  /** The committed offsets of the group of fan-out. */
  readonly committedOffsets: () => Promise<readonly CommittedOffset[]>;
  readonly metrics: FanOutMetrics;
  /** If omitted, nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly log: Logger;
  /** The limit of intake records in memory; a partition that has used up its share is paused. */
  readonly maxInFlightBytes: number;
  /** The time for which records are routed in one turn of the event loop. If omitted, 20 ms. */
  readonly maxTurnMs?: number;
}

/**
 * Routing is synchronous: heartbeats and probes wait for it. If a batch of large events were routed at once, with
 * filters at their limit, the instance would lose its membership. The partitions share a turn of the event loop,
 * whatever their number.
 */
const MAX_TURN_MS = 20;
const BACKOFF: BackoffLimits = { firstMs: 100, longestMs: 10_000 };
const NONE_ERASED = new ErasedEvents();
/** A partition's share of the memory holds at least one fetch. */
const MIN_SHARE_BYTES = 1024 * 1024;

/** Copies intake records to the customers that subscribed to them. */
export class FanOut {
  readonly #parts: FanOutParts;
  readonly #eventTypes: ReadonlyMap<string, EventType>;
  readonly #consumer: GroupConsumer;
  readonly #filters = new Filters();
  readonly #filterShares = new FilterShares();
  readonly #filterFailures: FilterFailureLog;
  readonly #working = new Set<Promise<void>>();
  /** The writes and commits that Kafka refuses at present, for readiness. */
  readonly #stuck = new Map<symbol, 'write' | 'commit'>();
  #progress: IntakeProgress | undefined;
  #isStopping = false;
  /** The present turn of the event loop; undefined until a record is routed in it. */
  #turnEndsAtMs: number | undefined;

  /** @param createConsumer receives the callbacks, and makes the member of the fan-out group */
  constructor(
    parts: FanOutParts,
    createConsumer: (callbacks: Pick<GroupConsumerOptions, 'onJoined' | 'onLost' | 'onBatch'>) => GroupConsumer,
  ) {
    this.#parts = parts;
    this.#filterFailures = new FilterFailureLog(parts.log);
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
    const [doing] = this.#stuck.values();
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
        while (systemClock.monotonicMs() >= this.#turnEnd()) await setImmediate();
        const routed = this.#route(left, eventType, batch, traces);
        const isWritten = await this.#produce(progress, routed.records);
        traces?.end(isWritten);
        if (!isWritten) return false;
        this.#count(eventType, routed);
        this.#measureRouting(eventType, left, routed);
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

  #route(
    records: readonly ConsumedRecord[],
    eventType: EventType,
    intake: ConsumedBatch,
    traces: RouteTraces | undefined,
  ): Routed {
    const { readers, subscriptions } = this.#parts;
    const endsAtMs = this.#turnEnd();
    return routeRecords(records, {
      eventType: eventType.name,
      intake,
      readerOf: (schemaId) => readers.peek(eventType, schemaId),
      customersFor: (name, routing) => subscriptions.customersFor(name, routing),
      filteredAmong: (customers) => subscriptions.filteredAmong(customers),
      mayAsk: (customer) => this.#filterShares.mayAsk(customer),
      ask: ({ customer, filter }, event) => {
        const begunAtMs = systemClock.monotonicMs();
        const { verdict, work } = this.#filters.of(filter, eventType).measured(event);
        this.#filterShares.recordUse(customer, work, systemClock.monotonicMs() - begunAtMs);
        return verdict;
      },
      ...(traces && { beginTrace: (record, eventId, copies) => traces.begin(record, eventId, copies) }),
      mayGoOn: () => systemClock.monotonicMs() < endsAtMs,
    });
  }

  #turnEnd(): number {
    if (this.#turnEndsAtMs === undefined) {
      this.#turnEndsAtMs = systemClock.monotonicMs() + (this.#parts.maxTurnMs ?? MAX_TURN_MS);
      void setImmediate().then(() => {
        this.#turnEndsAtMs = undefined;
      });
    }
    return this.#turnEndsAtMs;
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
        await this.#pause(progress, retryInMs);
      }
    }
    lane.finish(open);
    this.#throttle(progress, lane);
    await this.#commit(progress);
  }

  /** @returns false if it was interrupted before all records were acknowledged */
  async #produce(progress: IntakeProgress, records: readonly ProducedRecord[]): Promise<boolean> {
    const self = Symbol();
    try {
      let left = records;
      const backoff = new Backoff(BACKOFF);
      while (left.length > 0) {
        if (progress.isOver) return false;
        // Checked before each try: a write may have to wait for long.
        left = withoutErased(left, this.#parts.erased ?? NONE_ERASED);
        try {
          await this.#parts.producer.send(left);
          return true;
        } catch (error) {
          if (!(error instanceof KafkaPortError)) throw error;
          if (error instanceof ProduceError) left = error.failedIndexes.map((index) => left[index] as ProducedRecord);
          left = left.filter((record) => !this.#isForNobody(record));
          // This includes a missing topic: dropping would lose events, and an operator can create the topic.
          if (left.length === 0) return true;
          const topics = [...new Set(left.map(({ topic }) => topic))];
          this.#noteStuck(self, 'write');
          const retryInMs = backoff.next();
          this.#parts.log.error(
            { event: 'fan_out_write_failed', err: error, topics, records: left.length, retryInMs },
            'write to Kafka failed',
          );
          await this.#pause(progress, retryInMs);
        }
      }
      return true;
    } finally {
      this.#stuck.delete(self);
    }
  }

  /** The customer was deleted after the record was routed, and the topic may be deleted. */
  #isForNobody({ topic }: ProducedRecord): boolean {
    const customer = customerOfDeliveryTopic(topic);
    return customer !== undefined && !this.#parts.subscriptions.has(customer);
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
          this.#noteStuck(self, 'commit');
          const retryInMs = backoff.next();
          this.#parts.log.error({ event: 'commit_failed', err: error, offsets, retryInMs }, 'offset commit failed');
          if (progress.isOver) return;
          await this.#pause(progress, retryInMs);
        }
      }
    } finally {
      progress.isCommitting = false;
      this.#stuck.delete(self);
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

  #count(eventType: EventType, routed: Routed): void {
    const { matched, unmatched, quarantined, records, filteredOut, filterFailures } = routed;
    const { metrics, log, subscriptions } = this.#parts;
    const event_type = eventType.name;
    if (filteredOut > 0) metrics.filteredOut.inc({ event_type }, filteredOut);
    for (const [customer, group] of Map.groupBy(filterFailures, (one) => one.customer)) {
      // A customer that was deleted in the meantime must not get its series back.
      if (subscriptions.has(customer)) metrics.filterFailures.inc({ event_type, customer }, group.length);
      this.#filterFailures.note(eventType.name, customer, group, systemClock.monotonicMs());
    }
    metrics.events.inc({ event_type, outcome: 'matched' }, matched);
    metrics.events.inc({ event_type, outcome: 'unmatched' }, unmatched);
    metrics.events.inc({ event_type, outcome: 'quarantined' }, quarantined.length);
    metrics.copies.inc({ event_type }, records.length - quarantined.length);
    for (const [reason, group] of Map.groupBy(quarantined, (one) => one.reason)) {
      metrics.quarantined.inc({ event_type, reason }, group.length);
      const level = reason === 'internal' ? 'error' : 'warn';
      // One line per reason: a bad producer must not fill the log. Each record carries its own detail.
      log[level](
        { event: 'records_quarantined', eventType: eventType.name, reason, records: group.length, first: group[0] },
        'records quarantined',
      );
    }
  }

  #measureRouting({ name }: EventType, records: readonly ConsumedRecord[], { left, undecided }: Routed): void {
    const nowMs = systemClock.nowMs();
    const waiting = new Set(undecided);
    for (let at = 0; at < records.length - left.length; at++) {
      const record = records[at] as ConsumedRecord;
      if (!waiting.has(record)) this.#parts.metrics.routed(name, nowMs - record.timestampMs);
    }
  }

  #forget(): void {
    this.#progress?.end();
    this.#parts.metrics.lag.reset();
    this.#parts.metrics.inFlightBytes.set(0);
  }

  async #pause(progress: IntakeProgress, delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = systemClock.after(delayMs, resolve);
    await progress.untilOver([promise]);
    timer.cancel();
  }

  #noteStuck(self: symbol, doing: 'write' | 'commit'): void {
    this.#parts.metrics.ownFaults.inc({ doing });
    this.#stuck.set(self, doing);
  }
}
