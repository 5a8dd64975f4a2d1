import type { Consumer, EachBatchPayload } from 'kafkajs';
import { Ending } from '../../ending.ts';
import { backoffMs, KAFKA_BACKOFF } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { KafkaPortError } from '../errors.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import { toRecord, toRecordOrMark } from '../kafkajs/consumed-record.ts';
import { type GroupCounts, groupCounts, offsetJumps } from '../metrics.ts';
import { type CommittedOffset, isSamePartitions, keyOf, type TopicPartition } from '../records.ts';
import { CommitsInTurn } from './commits-in-turn.ts';
import { assertCommittable } from './committable.ts';
import { CONSUMER_DEFAULTS, type FullConsumerOptions, type GroupConsumerOptions } from './consumer-options.ts';
import { createConsumer, type EmptyBatch } from './kafkajs-consumer.ts';
import { ConsumerLease, ConsumerMembership, type MemberLease, type Membership } from './membership.ts';
import { Polls } from './polls.ts';

/** The time that a stop may take in addition to `maxWaitMs`; then the sockets are left to close by themselves. */
const STOP_GRACE_MS = 3_000;
/**
 * The number of fetches in a row without a heartbeat within the session: kafkajs measures by the wall clock, which may
 * have been set back.
 */
const FETCHES_WITHOUT_LEASE = 3;

/**
 * A member of a consumer group that commits nothing by itself and says exactly how long each membership lasts. It
 * starts from the committed offset, or from the beginning if there is none or it is out of range (which is logged
 * as an error and counted).
 *
 * idle → starting ⇄ joined (a rebalance) → stopped; a failure in any goes back to starting, after a back-off.
 */
export class GroupConsumer {
  readonly #settings: KafkaSettings;
  readonly #options: FullConsumerOptions;
  readonly #ending = new Ending();
  readonly #joinedOnce = Promise.withResolvers<undefined>();
  #isStopping = false;
  #running: Promise<void> | undefined;
  #consumer: Consumer | undefined;
  #membership: ConsumerMembership | undefined;
  #joinAttempts = 0;
  #joins = 0;
  #fail: (error: Error) => void = () => {};
  /** When the last request that extends the session was sent, by the monotonic clock; it counts once it is answered. */
  #sessionRequestSentAtMs = 0;
  #fetchesWithoutLease = 0;
  #paused = new Map<string, TopicPartition>();
  readonly #commits = new CommitsInTurn({
    consumer: () => this.#consumer,
    onLost: (membership) => {
      if (membership === this.#membership) this.#endMembership();
    },
  });
  readonly #polls: Polls;
  readonly #lease: ConsumerLease;
  readonly #counts: GroupCounts | undefined;

  constructor(settings: KafkaSettings, options: GroupConsumerOptions) {
    this.#settings = settings;
    this.#options = { ...CONSUMER_DEFAULTS, ...options };
    this.#lease = new ConsumerLease(this.#options.sessionTimeoutMs);
    this.#polls = new Polls(this.#options.maxWaitMs);
    if (settings.registry && this.#options.isCounted) {
      this.#counts = groupCounts(settings.registry, options.groupId);
    }
  }

  /** Runs through rebalances, each of which ends a membership. */
  get lease(): MemberLease {
    return this.#lease;
  }

  /** Resolves at the first join, or at the stop; it keeps trying until then. */
  async start(): Promise<void> {
    this.#running ??= this.#keepRunning();
    await this.#ending.orEnded(this.#joinedOnce.promise);
  }

  /** Ends the membership at once, leaves the group, and disconnects. The caller commits before. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#lease.end();
    this.#endMembership();
    this.#ending.end();
    await this.#running;
  }

  /** Pauses partitions; those that are not assigned now are skipped. A new membership starts with nothing paused. */
  pause(partitions: readonly TopicPartition[]): void {
    const assigned = this.#assigned(partitions);
    for (const partition of assigned) this.#paused.set(keyOf(partition), partition);
    if (assigned.length > 0) this.#consumer?.pause(assigned.map(named));
  }

  /** Takes effect when the current fetch ends: within `maxWaitMs`. */
  resume(partitions: readonly TopicPartition[]): void {
    const assigned = this.#assigned(partitions);
    for (const partition of assigned) this.#paused.delete(keyOf(partition));
    if (assigned.length > 0) this.#consumer?.resume(assigned.map(named));
  }

  /**
   * Commits are made one after the other, so a later one is never undone by an earlier one's retry.
   *
   * @throws {KafkaPortError} `DB_KAFKA_MEMBERSHIP_LOST` when the membership has ended, or the broker says so, which
   *   ends it; `DB_KAFKA_NOT_ASSIGNED`; `DB_KAFKA_METADATA_TOO_LONG`; `DB_KAFKA_UNAVAILABLE` after a few tries
   */
  async commit(membership: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    assertCommittable(membership, offsets);
    if (offsets.length === 0) return;
    await this.#commits.commit(membership, offsets);
  }

  async #keepRunning(): Promise<void> {
    for (let failures = 0; !this.#isStopping; ) {
      const joinsBefore = this.#joins;
      const error = await this.#run();
      if (this.#isStopping || error === undefined) return;
      failures = this.#joins > joinsBefore ? 1 : failures + 1;
      const retryInMs = backoffMs(failures, KAFKA_BACKOFF);
      this.#settings.log.error(
        { event: 'consumer_failed', groupId: this.#options.groupId, err: error, retryInMs },
        'consumer failed; restarting',
      );
      this.#counts?.restarted();
      this.#options.onFailure?.(error);
      await this.#ending.orEnded(pause(retryInMs));
    }
  }

  /** @returns the error that ended it; undefined if the stop did */
  async #run(): Promise<Error | undefined> {
    const failed = Promise.withResolvers<Error>();
    this.#fail = failed.resolve;
    const consumer = createConsumer(this.#settings, this.#options, {
      onCrashLogged: () => {
        this.#lease.end();
        this.#endMembership();
      },
      onJump: (fields) => this.#onJump(fields),
      onJoining: (isFirstAssigner) => this.#onJoining(isFirstAssigner),
      onJoin: (memberId, assigned) => this.#onJoin(memberId, assigned),
      onRebalancing: () => this.#endMembership(),
      onCrash: (error) => this.#fail(error),
      onSessionRequest: (sentAtMs) => {
        this.#sessionRequestSentAtMs = sentAtMs;
      },
      onHeartbeat: () => this.#renew(),
      onFetched: (nodeId, durationMs) => this.#onFetched(nodeId, durationMs),
      onFetching: (nodeId) => this.#onFetching(nodeId),
      onBatchStart: () => this.#polls.clear(),
      onEmptyBatch: (batch) => this.#onEmptyBatch(batch),
    });
    this.#consumer = consumer;
    let isOver = false;
    const start = async (): Promise<void> => {
      await consumer.connect();
      if (isOver) return;
      await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      if (isOver) return;
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#onBatch(payload),
      });
    };
    const started = start().catch((error) => failed.resolve(error));
    const error = await this.#ending.orEnded(failed.promise);
    isOver = true;
    // Disconnecting leaves the group: other members get our partitions.
    this.#lease.end();
    this.#endMembership();
    this.#consumer = undefined;
    // kafkajs cannot stop a consumer that is still joining: it would go on running.
    const stopped = started.then(() => consumer.disconnect());
    // biome-ignore lint/plugin: both are made for one stop of a consumer.
    await Promise.race([
      stopped.catch(() => {}),
      pause(this.#options.maxWaitMs + STOP_GRACE_MS, { isBackground: true }),
    ]);
    return error;
  }

  #renew(): void {
    const membership = this.#membership;
    membership?.renew(this.#sessionRequestSentAtMs);
    if (membership?.isCurrent) this.#lease.renew(membership.memberId, this.#sessionRequestSentAtMs);
  }

  #onJoining(isFirstAssigner: boolean): { memberId: string; owned: readonly TopicPartition[] } | undefined {
    if (isFirstAssigner) this.#joinAttempts++;
    const last = this.#membership;
    return last && { memberId: last.memberId, owned: last.assignment };
  }

  #onJoin(memberId: string, assigned: Readonly<Record<string, readonly number[]>>): void {
    const last = this.#membership;
    this.#endMembership();
    if (this.#isStopping) return;
    const assignment = Object.entries(assigned).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    // A join that had to be repeated may have skipped a generation in which other members owned our partitions.
    const follows =
      last?.memberId === memberId && this.#joinAttempts === 1 && isSamePartitions(last.assignment, assignment);
    this.#joinAttempts = 0;
    this.#joins++;
    if (this.#joins > 1) this.#counts?.rejoined();
    this.#polls.clear();
    this.#fetchesWithoutLease = 0;
    // kafkajs keeps a pause when a partition is lost and regained, and nobody would know of it.
    if (this.#paused.size > 0) this.#consumer?.resume([...this.#paused.values()].map(named));
    this.#paused.clear();
    const membership = new ConsumerMembership({
      memberId,
      assignment,
      continues: follows ? last : undefined,
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      renewedAtMs: this.#sessionRequestSentAtMs,
    });
    this.#membership = membership;
    this.#lease.renew(memberId, this.#sessionRequestSentAtMs);
    this.#guard(() => this.#options.onJoined(membership));
    this.#joinedOnce.resolve(undefined);
  }

  /** The last membership stays known, because a rejoin may continue it. */
  #endMembership(): void {
    const membership = this.#membership;
    if (membership?.end()) this.#guard(() => this.#options.onLost(membership));
  }

  async #onBatch({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const membership = this.#membership;
    // A process that was frozen receives its old batches before it learns that it was replaced. They are fetched again.
    if (!membership?.hasLease()) return;
    try {
      await this.#options.onBatch(membership, {
        topic: batch.topic,
        partition: batch.partition,
        records: batch.messages.map(this.#options.marksOversized ? toRecordOrMark : toRecord),
        nextOffset: Number(batch.lastOffset()) + 1,
        highWatermark: Number(batch.highWatermark),
      });
    } catch (error) {
      this.#endMembership();
      this.#fail(error as Error);
      return;
    }
    const last = batch.messages.at(-1);
    // With the last record's offset, kafkajs resolves the control records after it as well.
    if (last && membership.isCurrent) resolveOffset(last.offset);
  }

  #onEmptyBatch(batch: EmptyBatch): void {
    const membership = this.#membership;
    if (!membership?.hasLease()) return;
    const { topic, partition } = batch;
    const nextOffset = Number(batch.lastOffset) + 1;
    const highWatermark = Number(batch.highWatermark);
    this.#guard(() => this.#options.onBatch(membership, { topic, partition, records: [], nextOffset, highWatermark }));
  }

  #onFetched(nodeId: number, durationMs: number): void {
    const membership = this.#membership;
    if (!membership) return;
    this.#polls.noteEnd(nodeId, durationMs);
    if (membership.sinceRenewedMs() < this.#options.sessionTimeoutMs) this.#fetchesWithoutLease = 0;
    else if (++this.#fetchesWithoutLease === FETCHES_WITHOUT_LEASE) {
      this.#endMembership();
      this.#fail(new KafkaPortError('DB_KAFKA_UNAVAILABLE', 'no heartbeat within the session time-out'));
    }
  }

  #onFetching(nodeId: number): void {
    if (!this.#polls.noteStart(nodeId)) return;
    const membership = this.#membership;
    if (membership && this.#isDrained()) this.#guard(() => this.#options.onDrained?.(membership));
  }

  #isDrained(): boolean {
    return this.#membership?.isCurrent === true && this.#polls.foundNothing;
  }

  #onJump(fields: Readonly<Record<string, unknown>>): void {
    const at = {
      groupId: this.#options.groupId,
      topic: String(fields['topic']),
      partition: Number(fields['partition']),
    };
    const { log, registry } = this.#settings;
    log.error(
      { event: 'offset_out_of_range', ...at },
      'the committed offset is out of range: starting from the oldest record; records may have been lost',
    );
    if (registry) offsetJumps(registry).inc();
  }

  /** An exception of the caller must not unwind through kafkajs, which would treat it as its own. */
  #guard(callback: () => void | Promise<void>): void {
    try {
      Promise.resolve(callback()).catch((error) => this.#fail(error));
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #assigned(partitions: readonly TopicPartition[]): TopicPartition[] {
    const membership = this.#membership;
    if (!membership?.isCurrent) return [];
    const assigned = new Set(membership.assignment.map(keyOf));
    return partitions.filter((partition) => assigned.has(keyOf(partition)));
  }
}

/** The partition is always named: with a topic alone, kafkajs pauses or resumes all of it, and forgets the rest. */
function named({ topic, partition }: TopicPartition): { topic: string; partitions: number[] } {
  return { topic, partitions: [partition] };
}
