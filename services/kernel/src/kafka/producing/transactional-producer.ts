import { MAX_MESSAGE_BYTES } from '@databridge/schemas/records/topics';
import type { Producer, TopicMessages, Transaction } from 'kafkajs';
import type { BackoffLimits } from '../../time/backoff.ts';
import { retry } from '../../time/retry.ts';
import { KafkaPortError, protocolErrorType, toPortError } from '../errors.ts';
import { createKafka, type KafkaSettings } from '../kafkajs/client.ts';
import { batchBytes, batchKey, toMessage } from '../kafkajs/produce-queue.ts';
import type { ProducedRecord, TopicPartition } from '../records.ts';
import { partitionOfKey } from './murmur2.ts';

/** The broker aborts a transaction that takes longer, so that readers do not wait for its end. */
const TRANSACTION_TIMEOUT_MS = 10_000;

export interface TransactionalProducerOptions {
  /** A producer that takes over this id fences all previous ones. */
  readonly transactionalId: string;
  /** The number of replicas of the topics that are written to. */
  readonly partitions: ReadonlyMap<string, number>;
}

/** One past the last record of a transaction, by partition that it wrote to. */
export type WrittenUpTo = readonly (TopicPartition & { readonly end: number })[];

/** The limit of all records of a transaction, over all topics: well below what a topic accepts as one batch. */
const MAX_TOGETHER_BYTES = 786_432;
const BEGIN_WITHIN_MS = 5_000;
const BEGIN_BACKOFF: BackoffLimits = { firstMs: 5, longestMs: 200 };

interface Waiting {
  readonly records: readonly ProducedRecord[];
  resolve(end: WrittenUpTo): void;
  reject(error: KafkaPortError): void;
}

/**
 * Writes either all of the records or none, as the only writer: opening it fences every earlier producer of the same
 * transactional id and ends the transaction that it left open, before `open` resolves. Records that are passed while a
 * transaction is in progress go into the next one together.
 *
 *     open ─▶ committing ⇄ idle ─▶ over, by the first failure or `close`
 *
 * It cannot be used after a failure: kafkajs can be left in a state that no call repairs, and another process may be
 * the writer by now. The caller opens a new one, and reads again all state that its decisions depend on.
 */
export class TransactionalProducer {
  readonly #client: Producer;
  readonly #partitions: ReadonlyMap<string, number>;
  #transaction: Transaction | undefined;
  #waiting: Waiting[] = [];
  #isCommitting = false;
  #isOver = false;

  private constructor(client: Producer, partitions: ReadonlyMap<string, number>) {
    this.#client = client;
    this.#partitions = partitions;
  }

  /** @throws {KafkaPortError} */
  static async open(
    settings: KafkaSettings,
    { transactionalId, partitions }: TransactionalProducerOptions,
  ): Promise<TransactionalProducer> {
    const client = createKafka(settings, 'transactional producer').producer({
      transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      allowAutoTopicCreation: false,
      // With more requests at a time, or with retries of its own, a lost answer could lose or repeat the records that
      // follow.
      maxInFlightRequests: 1,
      retry: { retries: 0 },
    });
    const producer = new TransactionalProducer(client, partitions);
    try {
      await client.connect();
      // kafkajs requests the producer's epoch, which fences, when the first transaction begins.
      producer.#transaction = await client.transaction();
      return producer;
    } catch (error) {
      await client.disconnect().catch(() => {});
      throw toPortError(error, 'take up the transactional id');
    }
  }

  /** True once closed or failed; it never becomes false again. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * @throws {KafkaPortError} `DB_KAFKA_FENCED`: nothing is written, because another process is the writer. For any
   *   other error, either all of the records are written or none; a reader that waits for the end of the log knows
   */
  commit(records: readonly ProducedRecord[]): Promise<WrittenUpTo> {
    const tooLarge = records.find((record) => batchBytes(record) > MAX_MESSAGE_BYTES);
    // Kafka would refuse it together with all records in the same transaction, and end the term.
    if (tooLarge !== undefined) {
      const { topic } = tooLarge;
      const detail = `${batchBytes(tooLarge)} bytes for ${topic}; at most ${MAX_MESSAGE_BYTES} are allowed`;
      return Promise.reject(new KafkaPortError('DB_KAFKA_RECORD_TOO_LARGE', `write in a transaction: ${detail}`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      if (!this.#isCommitting) void this.#pump();
    });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#fail(this.#waiting.splice(0), new KafkaPortError('DB_KAFKA_CLOSED', 'the producer is closed'));
    await this.#client.disconnect().catch(() => {});
  }

  async #pump(): Promise<void> {
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      const together = this.#takeTogether();
      if (this.#isOver) {
        this.#fail(
          together,
          new KafkaPortError(
            'DB_KAFKA_CLOSED',
            'the transactional producer is closed: another one has its id, or it was stopped',
          ),
        );
        continue;
      }
      try {
        const end = await this.#transact(together.flatMap(({ records }) => records));
        for (const { resolve } of together) resolve(end);
      } catch (error) {
        this.#isOver = true;
        this.#fail(together, toPortError(error, 'write in a transaction'));
        void this.#client.disconnect().catch(() => {});
      }
    }
    this.#isCommitting = false;
  }

  /** Takes as many records as fit a record batch, at least one: a large change must not make those of others fail. */
  #takeTogether(): Waiting[] {
    let bytes = 0;
    const fits = this.#waiting.findIndex(({ records }, index) => {
      bytes += records.reduce((sum, record) => sum + batchBytes(record), 0);
      return index > 0 && bytes > MAX_TOGETHER_BYTES;
    });
    return this.#waiting.splice(0, fits === -1 ? this.#waiting.length : fits);
  }

  async #transact(records: readonly ProducedRecord[]): Promise<WrittenUpTo> {
    const transaction = this.#transaction ?? (await this.#client.transaction());
    this.#transaction = undefined;
    const batches = Map.groupBy(
      records.map((record) => ({ record, partition: this.#partitionOf(record) })),
      ({ record, partition }) => batchKey({ topic: record.topic, partition }),
    );
    const placed = [...batches.values()];
    // One partition alone at first: while the transaction before still ends, the broker refuses to begin another, and
    // only a request to one broker is known to have changed nothing then.
    const written = [
      ...(await begun(() => sendTo(transaction, placed.slice(0, 1)))),
      ...(placed.length > 1 ? await sendTo(transaction, placed.slice(1)) : []),
    ];
    // kafkajs resolves although it omitted the records without a leader.
    if (new Set(written.map(batchKey)).size !== batches.size) {
      await transaction.abort().catch(() => {});
      throw new KafkaPortError('DB_KAFKA_NOT_ACKNOWLEDGED', 'write in a transaction: an answer lacks a partition');
    }
    await transaction.commit();
    return written;
  }

  #partitionOf({ topic, partition, key, placedBy }: ProducedRecord): number {
    const count = this.#partitions.get(topic);
    if (count === undefined) throw new KafkaPortError('DB_KAFKA_UNKNOWN_TOPIC', `${topic} is not among the topics`);
    if (partition !== undefined) return partition;
    const by = placedBy ?? key;
    return by === null ? 0 : partitionOfKey(typeof by === 'string' ? Buffer.from(by) : by, count);
  }

  #fail(waiting: readonly Waiting[], error: KafkaPortError): void {
    for (const { reject } of waiting) reject(error);
  }
}

type Batch = readonly { readonly record: ProducedRecord; readonly partition: number }[];

/** Writes to several partitions by one call. @returns the end offsets of those that the broker acknowledged */
async function sendTo(transaction: Transaction, batches: readonly Batch[]): Promise<WrittenUpTo> {
  const topics = Map.groupBy(batches.flat(), ({ record }) => record.topic);
  const topicMessages: TopicMessages[] = [...topics].map(([topic, of]) => ({
    topic,
    messages: of.map(({ record, partition }) => toMessage(record, partition)),
  }));
  const answer = await transaction.sendBatch({ acks: -1, topicMessages });
  return answer.flatMap(({ topicName: topic, partition, errorCode, baseOffset }) => {
    const batch = batches.find(([one]) => one?.record.topic === topic && one.partition === partition);
    return errorCode === 0 ? [{ topic, partition, end: Number(baseOffset) + (batch?.length ?? 0) }] : [];
  });
}

async function begun<T>(send: () => Promise<T>): Promise<T> {
  return await retry(send, {
    ...{ limits: BEGIN_BACKOFF, withinMs: BEGIN_WITHIN_MS },
    isRetryable: (error) => protocolErrorType(error) === 'CONCURRENT_TRANSACTIONS',
  });
}
