/** The vocabulary of the Kafka port: what is read, written and committed. No client's type crosses this line. */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A map's key for a partition. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Whether both name the same partitions, in whatever order. */
export function isSamePartitions(a: readonly TopicPartition[], b: readonly TopicPartition[]): boolean {
  const keys = new Set(a.map(keyOf));
  return a.length === b.length && b.every((partition) => keys.has(keyOf(partition)));
}

/** Header values as Kafka holds them: bytes. A header sent several times is an array. */
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
  /** Stands for all records of a batch that is too large when decompressed (kafkajs/record-batches.ts). No value. */
  readonly oversizedBatch?: {
    readonly firstOffset: number;
    readonly lastOffset: number;
    readonly records: number;
    readonly compressedBytes: number;
    readonly maxBytes: number;
  };
}

export interface ConsumedBatch extends TopicPartition {
  /** The offset that was asked for; left out where all is read in order. Before the first record, there was none. */
  readonly from?: number;
  readonly records: readonly ConsumedRecord[];
  /** One past the last offset of the fetched batch, control records included: where the next fetch starts. */
  readonly nextOffset: number;
  /** One past the last offset of the partition when it was fetched. */
  readonly highWatermark: number;
}

export interface ProducedRecord {
  readonly topic: string;
  /** Left out: chosen by the key's murmur2 hash over the topic's partitions, as the Java client does. */
  readonly partition?: number;
  readonly key: Buffer | string | null;
  /** `null` is a tombstone. */
  readonly value: Buffer | string | null;
  readonly headers?: RecordHeaders;
}

/** `offset` is the next one to read: one past the last that is done. `metadata` at most 4,096 characters. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/** What every producer of the port promises: resolved means that every record is on every in-sync replica. */
export interface RecordProducer {
  /**
   * Resolves once **every** record is acknowledged; rejects when any may not be. After a rejection some of the
   * records can be stored all the same: sending again may repeat, never lose.
   * @throws {KafkaPortError} `retryable` says whether the same call may succeed later
   */
  send(records: readonly ProducedRecord[]): Promise<void>;
  connect(): Promise<void>;
  /** Waits for what is in flight. */
  disconnect(): Promise<void>;
}
