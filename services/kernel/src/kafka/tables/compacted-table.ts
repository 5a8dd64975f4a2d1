import { randomUUID } from 'node:crypto';
import { messageOf } from '../../errors.ts';
import { Backoff, KAFKA_BACKOFF } from '../../time/backoff.ts';
import { systemClock } from '../../time/clock.ts';
import { pause } from '../../time/pause.ts';
import { KafkaAdmin } from '../admin/admin.ts';
import type { PartitionAssigner } from '../groups/assigners.ts';
import { GroupConsumer } from '../groups/group-consumer.ts';
import type { MemberLease, Membership } from '../groups/membership.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import type { ConsumedBatch, ConsumedRecord } from '../records.ts';
import { TablePartition } from './table-partition.ts';

/** The partitions of the table's topic that a join added, kept and removed. */
export interface Ownership {
  readonly gained: readonly number[];
  readonly kept: readonly number[];
  readonly lost: readonly number[];
  /** The known keys of the lost partitions. The table has forgotten them already, without `onChange`. */
  readonly lostKeys: readonly string[];
}

export interface CompactedTableOptions<V> {
  readonly topic: string;
  /** If it returns `undefined` or throws, the record is logged and skipped, and the key keeps its value. */
  decode(key: string, value: Buffer, record: ConsumedRecord): V | undefined;
  /** Called after the table has changed; `undefined`: the key was removed. Synchronous. */
  onChange?(key: string, value: V | undefined): void;
  /** The group whose members share the partitions. If omitted, this table reads all of them. */
  readonly group?: {
    readonly groupId: string;
    readonly assigners?: readonly PartitionAssigner[];
    /** Called at each join, before any change that follows from it; synchronous. */
    onOwned(ownership: Ownership): void;
  };
  /** Called when all records are read that the owned partitions held when they were assigned. */
  onCaughtUp?(): void;
  readonly sessionTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
  readonly maxWaitMs?: number;
  onFailure?(error: Error): void;
}

const MAX_WAIT_MS = 500;
/** After this number of empty fetches, the awaited offset is a hole at the end of the log. */
const FETCHES_IN_VAIN = 3;

/** A caller that waits until the table has read up to certain offsets. */
interface Reader {
  readonly ends: readonly { readonly partition: number; readonly end: number }[];
  readonly sinceMs: number;
  resolve(): void;
}

/**
 * The latest value of each key of a compacted topic, read from the start at each join; nothing is ever committed.
 * Partitions that stay through a rejoin keep their entries meanwhile, and known values are not reported again; a key
 * that was removed from the log meanwhile is removed from the table once the partition is read again.
 */
export class CompactedTable<V> {
  readonly #settings: KafkaSettings;
  readonly #options: CompactedTableOptions<V>;
  readonly #admin: KafkaAdmin;
  readonly #consumer: GroupConsumer;
  readonly #partitions = new Map<number, TablePartition<V>>();
  #caughtUp = Promise.withResolvers<void>();
  #isCaughtUp = false;
  #membership: Membership | undefined;
  readonly #readers = new Set<Reader>();
  #refreshing: { readonly done: Promise<void>; hasAsked: boolean } | undefined;

  constructor(settings: KafkaSettings, options: CompactedTableOptions<V>) {
    this.#settings = settings;
    this.#options = options;
    this.#admin = new KafkaAdmin(settings);
    const { topic, group, sessionTimeoutMs, heartbeatIntervalMs, maxWaitMs, onFailure } = options;
    this.#consumer = new GroupConsumer(settings, {
      groupId: group?.groupId ?? `${settings.clientId}.${topic}.${randomUUID()}`,
      topics: [topic],
      isCounted: group !== undefined,
      ...(group?.assigners ? { assigners: group.assigners } : {}),
      ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
      ...(heartbeatIntervalMs === undefined ? {} : { heartbeatIntervalMs }),
      maxWaitMs: maxWaitMs ?? MAX_WAIT_MS,
      onJoined: (membership) => this.#onJoined(membership),
      onLost: () => {},
      onBatch: (membership, batch) => this.#onBatch(membership, batch),
      // A log can end in a hole that compaction left: no record then ever reaches the high watermark.
      onDrained: (membership) => this.#onDrained(membership),
      onFailure: (error) => onFailure?.(error),
    });
  }

  /** The lease of the membership that shares the partitions. */
  get lease(): MemberLease {
    return this.#consumer.lease;
  }

  /** Resolves with the first join. */
  async start(): Promise<void> {
    await this.#consumer.start();
  }

  /** Stops reading. The entries remain. */
  async stop(): Promise<void> {
    await this.#consumer.stop();
    await this.#admin.disconnect();
  }

  /** Whether all records that were in the owned partitions at the latest join are read. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Resolves once all records that were in the owned partitions at the latest join are read; a rejoin repeats this. */
  async caughtUp(): Promise<void> {
    while (!this.#isCaughtUp) await this.#caughtUp.promise;
  }

  /**
   * Resolves once the table contains all records that were written and committed before the call.
   * @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE`
   */
  async refreshed(): Promise<void> {
    // Callers that come before Kafka is asked share the request.
    if (this.#refreshing === undefined || this.#refreshing.hasAsked) {
      const mine = { hasAsked: false, done: Promise.resolve() };
      mine.done = this.#refresh(this.#refreshing?.done, mine);
      this.#refreshing = mine;
    }
    await this.#refreshing.done;
  }

  async #refresh(before: Promise<void> | undefined, mine: { hasAsked: boolean }): Promise<void> {
    await before?.catch(() => undefined);
    mine.hasAsked = true;
    const watermarks = await this.#admin.watermarks(this.#options.topic);
    await this.readUpTo(watermarks.map(({ partition, low, high }) => ({ partition, end: low === high ? 0 : high })));
  }

  /** Resolves once the table has read up to these offsets, of the partitions that it owns. */
  async readUpTo(ends: Reader['ends']): Promise<void> {
    const reader = { ends, sinceMs: systemClock.monotonicMs() };
    if (this.#hasRead(reader)) return;
    await new Promise<void>((resolve) => this.#readers.add({ ...reader, resolve }));
  }

  #hasRead({ ends }: Pick<Reader, 'ends'>): boolean {
    return ends.every(({ partition, end }) => this.#partitions.get(partition)?.reflects(end) ?? true);
  }

  #wakeReaders(): void {
    for (const reader of this.#readers) {
      if (!this.#hasRead(reader)) continue;
      this.#readers.delete(reader);
      reader.resolve();
    }
  }

  get(key: string): V | undefined {
    for (const partition of this.#partitions.values()) {
      const value = partition.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  *entries(): Generator<[string, V]> {
    for (const partition of this.#partitions.values()) yield* partition.entries();
  }

  #onJoined(membership: Membership): void {
    this.#membership = membership;
    if (this.#isCaughtUp) this.#caughtUp = Promise.withResolvers();
    this.#isCaughtUp = false;
    const owned = new Set(membership.assignment.map(({ partition }) => partition));
    const before = [...this.#partitions.keys()];
    const gained = [...owned].filter((partition) => !this.#partitions.has(partition));
    const lost = before.filter((partition) => !owned.has(partition));
    const kept = before.filter((partition) => owned.has(partition));
    const lostKeys = lost.flatMap((partition) => [...(this.#partitions.get(partition)?.keys() ?? [])]);
    for (const partition of lost) this.#partitions.delete(partition);
    for (const partition of gained) this.#partitions.set(partition, new TablePartition());
    for (const partition of kept) this.#partitions.get(partition)?.readAgain();
    this.#options.group?.onOwned({ gained, kept, lost, lostKeys });
    void this.#takeWatermarks(membership);
  }

  async #takeWatermarks(membership: Membership): Promise<void> {
    const backoff = new Backoff(KAFKA_BACKOFF);
    while (membership.isCurrent) {
      try {
        const watermarks = await this.#admin.watermarks(this.#options.topic);
        if (!membership.isCurrent) return;
        for (const { partition, low, high } of watermarks) {
          this.#partitions.get(partition)?.setTarget(low, high);
        }
        this.#sweep();
        return;
      } catch (error) {
        this.#settings.log.warn(
          { event: 'table_end_unknown', err: error, topic: this.#options.topic },
          'end of the topic unknown; trying again',
        );
        await pause(backoff.next());
      }
    }
  }

  #onBatch(_membership: Membership, batch: ConsumedBatch): void {
    const partition = this.#partitions.get(batch.partition);
    if (!partition) return;
    for (const record of batch.records) {
      const key = record.key?.toString();
      if (key === undefined) continue;
      const change = partition.apply(
        key,
        record.offset,
        record.value === null ? null : this.#decode(key, record, batch),
      );
      if (change) this.#options.onChange?.(key, change.value);
    }
    partition.advance(batch.nextOffset);
    this.#wakeReaders();
    this.#sweep();
  }

  #onDrained(membership: Membership): void {
    if (membership !== this.#membership) return;
    const inVainMs = FETCHES_IN_VAIN * (this.#options.maxWaitMs ?? MAX_WAIT_MS);
    for (const { ends, sinceMs } of this.#readers) {
      if (systemClock.monotonicMs() - sinceMs < inVainMs) continue;
      for (const { partition, end } of ends) this.#partitions.get(partition)?.advance(end);
    }
    this.#wakeReaders();
    if (this.#isCaughtUp) return;
    for (const partition of this.#partitions.values()) partition.markDrained();
    this.#sweep();
  }

  /** Ends the reading of the partitions that have reached their target; after the last one, the table is caught up. */
  #sweep(): void {
    if (this.#isCaughtUp) return;
    for (const partition of this.#partitions.values()) {
      for (const key of partition.sweep()) this.#options.onChange?.(key, undefined);
    }
    if (![...this.#partitions.values()].every((partition) => partition.isCaughtUp)) return;
    this.#isCaughtUp = true;
    this.#caughtUp.resolve();
    this.#options.onCaughtUp?.();
  }

  #decode(key: string, record: ConsumedRecord, { topic, partition }: ConsumedBatch): V | undefined {
    const at = { topic, partition, offset: record.offset, key };
    try {
      const value = this.#options.decode(key, record.value as Buffer, record);
      if (value === undefined)
        this.#settings.log.error(
          { event: 'table_record_rejected', ...at },
          'record rejected; the key keeps its previous value',
        );
      return value;
    } catch (error) {
      this.#settings.log.error(
        { event: 'table_record_rejected', ...at, reason: messageOf(error) },
        'record rejected; the key keeps its previous value',
      );
      return undefined;
    }
  }
}
