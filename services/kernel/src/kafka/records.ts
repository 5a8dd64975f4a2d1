/**
 * The vocabulary of the Kafka port: records that are read and written, and offsets that are committed. No type of a
 * Kafka client is used outside of the port.
 */
import type { RecordPlace } from '@databridge/schemas/records/identity';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The key of a partition in maps. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Returns whether both lists name the same partitions, in any order. */
export function isSamePartitions(a: readonly TopicPartition[], b: readonly TopicPartition[]): boolean {
  const keys = new Set(a.map(keyOf));
  return a.length === b.length && b.every((partition) => keys.has(keyOf(partition)));
}

/** Header values as Kafka stores them: bytes. A header sent several times is an array. */
export type RecordHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;

export interface ConsumedRecord {
  readonly offset: number;
  /** The broker's append time (all our topics use LogAppendTime), in ms since the epoch. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
  /** The record has more headers than are decoded (kafkajs/header-patch.ts): `headers` is empty then. */
  readonly excessHeaders?: { readonly count: number; readonly bytes: number };
  /**
   * True if the record represents a whole batch that is too large when decompressed (kafkajs/record-batches.ts). It has
   * no value.
   */
  readonly oversizedBatch?: {
    readonly firstOffset: number;
    readonly lastOffset: number;
    readonly records: number;
    readonly compressedBytes: number;
    readonly maxBytes: number;
  };
}

export interface ConsumedBatch extends TopicPartition {
  /** The requested offset; omitted if everything is read in order. There was no record between it and the first one. */
  readonly from?: number;
  readonly records: readonly ConsumedRecord[];
  /** One past the last offset of the fetched batch, control records included: the next fetch starts there. */
  readonly nextOffset: number;
  /** One past the last offset of the partition at the time of the fetch. */
  readonly highWatermark: number;
}

export interface ProducedRecord {
  readonly topic: string;
  /** If omitted, it is chosen by the key's murmur2 hash over the topic's partitions, as the Java client does. */
  readonly partition?: number;
  readonly key: Buffer | string | null;
  /** The partition is chosen by this instead of the key: records whose keys differ stay together. */
  readonly placedBy?: string;
  /** `null` is a tombstone. */
  readonly value: Buffer | string | null;
  readonly headers?: RecordHeaders;
}

/** `offset` is the next one to read: one past the last finished one. `metadata` has at most 4,096 characters. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/** The guarantee of every producer of the port: once it resolves, every record is on every in-sync replica. */
export interface RecordProducer {
  /**
   * Resolves once **every** record is acknowledged; rejects if any may not be. After a rejection some of the records
   * may be stored nevertheless: sending again may repeat, but never lose records.
   * @throws {KafkaPortError} `retryable` says whether the same call may succeed later
   */
  send(records: readonly ProducedRecord[]): Promise<void>;
  connect(): Promise<void>;
  /** Waits for requests in flight. */
  disconnect(): Promise<void>;
}

/** A {@link RecordProducer} that can say where a record is stored. */
export interface PlacingProducer extends RecordProducer {
  /**
   * As {@link RecordProducer.send}, of one record. If it had to be sent again, an earlier copy may be stored as well.
   * @returns where it is stored
   * @throws {KafkaPortError} likewise
   */
  sendOne(record: ProducedRecord): Promise<RecordPlace>;
}
