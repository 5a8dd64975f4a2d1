import type { RecordPlace } from '@databridge/schemas/records/identity';
import type { Admin, Message, Producer, RecordMetadata } from 'kafkajs';
import { backoffMs } from '../../time/backoff.ts';
import { systemClock } from '../../time/clock.ts';
import { pause } from '../../time/pause.ts';
import { isBug, KafkaPortError, protocolErrorType, toPortError } from '../errors.ts';
import { createKafka, type KafkaSettings } from '../kafkajs/client.ts';
import {
  BATCH_OVERHEAD_BYTES,
  batchKey,
  type Pending,
  ProduceQueue,
  recordBytes,
  SendCall,
  toMessage,
} from '../kafkajs/produce-queue.ts';
import type { PlacingProducer, ProducedRecord } from '../records.ts';
import { partitionOfKey } from './murmur2.ts';
import { PartitionCounts } from './partition-counts.ts';

export interface KafkaProducerOptions {
  /**
   * The limit of a batch; at most what the topics' `max.message.bytes` allow. Default 1,000,000: just under the
   * broker's default.
   */
  readonly maxBatchBytes?: number;
  /** The limit of one request. Default 8 MiB. */
  readonly maxRequestBytes?: number;
  /** The time for which a `send` is retried; the current request may then take another 30 s. Default 30 s. */
  readonly deliveryTimeoutMs?: number;
}

const DEFAULTS = { maxBatchBytes: 1_000_000, maxRequestBytes: 8 * 1024 * 1024, deliveryTimeoutMs: 30_000 };
const ALL_IN_SYNC_REPLICAS = -1;
const ACKNOWLEDGE_WITHIN_MS = 30_000;
const BACKOFF = { firstMs: 100, longestMs: 3_000 };

/**
 * Plain, not idempotent, acks=all. One request at a time; records that any caller sends in the meantime go into the
 * next one. Within a partition, records of a `send` are stored in order unless one of them has to be sent again.
 *
 * A failed request affects only the callers that had records for the failed partition: its records are sent again by
 * partition, and the requests of the others continue in the meantime.
 */
export class KafkaProducer implements PlacingProducer {
  readonly #settings: KafkaSettings;
  readonly #options: Required<KafkaProducerOptions>;
  readonly #partitions: PartitionCounts;
  readonly #open = new Set<Promise<void>>();
  #client: Producer;
  #isConnected = false;
  readonly #admin: Admin;
  readonly #queue: ProduceQueue;
  #isPumping = false;
  #isClosed = false;
  #turn = 0;

  constructor(settings: KafkaSettings, options: KafkaProducerOptions = {}) {
    this.#settings = settings;
    this.#options = { ...DEFAULTS, ...options };
    this.#queue = new ProduceQueue(this.#options);
    this.#client = this.#createClient();
    this.#admin = createKafka(settings, 'producer metadata').admin();
    this.#partitions = new PartitionCounts(async (topics) => {
      const found = await this.#admin.fetchTopicMetadata({ topics });
      return found.topics.map(({ name, partitions }) => ({ topic: name, partitions: partitions.length }));
    });
  }

  /** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` if no broker answers within some seconds */
  async connect(): Promise<void> {
    try {
      await Promise.all([this.#connect(), this.#admin.connect()]);
    } catch (error) {
      throw toPortError(error, 'connect the producer');
    }
  }

  async disconnect(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#open);
    await Promise.allSettled([this.#client.disconnect(), this.#admin.disconnect()]);
  }

  /** @throws {ProduceError} which says which of the records may not be stored; all others are */
  async send(records: readonly ProducedRecord[]): Promise<void> {
    if (records.length > 0) await this.#send(records);
    else this.#refuseIfClosed();
  }

  async sendOne(record: ProducedRecord): Promise<RecordPlace> {
    const { lastStored } = await this.#send([record]);
    if (lastStored !== undefined) return { topic: record.topic, ...lastStored };
    throw new KafkaPortError('DB_KAFKA_NOT_ACKNOWLEDGED', `produce: the broker did not say where in ${record.topic}`);
  }

  async #send(records: readonly ProducedRecord[]): Promise<SendCall> {
    this.#refuseIfClosed();
    const call = new SendCall(records.length, systemClock.monotonicMs() + this.#options.deliveryTimeoutMs);
    this.#open.add(call.done);
    try {
      await this.#enqueue(records, call);
      await call.done;
      return call;
    } finally {
      this.#open.delete(call.done);
    }
  }

  #refuseIfClosed(): void {
    if (this.#isClosed) throw new KafkaPortError('DB_KAFKA_CLOSED', 'the producer is disconnected');
  }

  async #enqueue(records: readonly ProducedRecord[], call: SendCall): Promise<void> {
    const unknown = new Set<string>();
    for (const { topic } of records) if (this.#partitions.of(topic) === undefined) unknown.add(topic);
    const failures = unknown.size === 0 ? undefined : await this.#partitions.load(unknown);
    for (const [index, record] of records.entries()) {
      const { topic } = record;
      const bytes = recordBytes(record);
      const failure = failures?.get(topic) ?? this.#tooLarge(topic, bytes);
      if (failure) {
        call.settle(index, failure);
        continue;
      }
      const partition = record.partition ?? this.#choosePartition(record);
      this.#queue.push({ call, index, topic, partition, bytes, message: toMessage(record, partition) });
    }
    if (this.#isPumping) return;
    this.#isPumping = true;
    // All records that are sent in this turn of the event loop go into the first request.
    setImmediate(() => void this.#pump());
  }

  #tooLarge(topic: string, recordBytes: number): KafkaPortError | undefined {
    const bytes = BATCH_OVERHEAD_BYTES + recordBytes;
    if (bytes <= this.#options.maxBatchBytes) return undefined;
    return new KafkaPortError(
      'DB_KAFKA_RECORD_TOO_LARGE',
      `a record for ${topic} takes up to ${bytes} bytes, more than ${this.#options.maxBatchBytes}`,
    );
  }

  #choosePartition({ topic, key, placedBy }: ProducedRecord): number {
    const partitions = this.#partitions.of(topic) ?? 1;
    if (partitions === 1) return 0;
    const by = placedBy ?? key;
    if (by === null) return this.#turn++ % partitions;
    return partitionOfKey(Buffer.isBuffer(by) ? by : Buffer.from(by), partitions);
  }

  async #pump(): Promise<void> {
    let failures = 0;
    while (!this.#queue.isEmpty) {
      const failure = await this.#request(this.#queue.take());
      if (!failure) {
        failures = 0;
      } else if (isAboutPartitions(failure.error)) {
        for (const batch of byPartition(failure.pending)) void this.#isolate(batch, failure.error);
      } else {
        // There is no broker, or no answer: no request can succeed, so all callers wait.
        this.#queue.putBack(this.#failOverdue(failure.pending, failure.error));
        failures++;
        await pause(backoffMs(failures, BACKOFF));
      }
    }
    this.#isPumping = false;
  }

  /** Sends a batch that failed together with others until it is stored, fails by itself, or is overdue. */
  async #isolate(batch: Pending[], first: KafkaPortError): Promise<void> {
    let error = first;
    for (let pending = batch, tries = 0; ; tries++) {
      if (tries > 0) await pause(backoffMs(tries, BACKOFF));
      const topic = (pending[0] as Pending).topic;
      if (error.code === 'DB_KAFKA_UNKNOWN_TOPIC') {
        const unknown = (await this.#partitions.load([topic])).get(topic);
        if (unknown) return fail(pending, unknown);
      }
      const failure = await this.#request(pending);
      if (!failure) return;
      error = failure.error;
      if (error.code === 'DB_KAFKA_RECORD_TOO_LARGE' && failure.pending.length > 1) {
        const half = Math.ceil(failure.pending.length / 2);
        await this.#isolate(failure.pending.slice(0, half), error);
        return this.#isolate(failure.pending.slice(half), error);
      }
      if (!error.retryable) return fail(failure.pending, error);
      pending = this.#failOverdue(failure.pending, error);
      if (pending.length === 0) return;
    }
  }

  /** Sends one request, and settles the acknowledged records. @returns the others, with the error */
  async #request(request: Pending[]): Promise<{ pending: Pending[]; error: KafkaPortError } | undefined> {
    const client = this.#client;
    let answer: RecordMetadata[];
    try {
      await this.#connect();
      answer = await client.sendBatch({
        acks: ALL_IN_SYNC_REPLICAS,
        timeout: ACKNOWLEDGE_WITHIN_MS,
        topicMessages: byTopic(request),
      });
    } catch (thrown) {
      const error = toPortError(thrown, 'produce');
      if (error.code === 'DB_KAFKA_UNKNOWN_TOPIC') this.#renewClient(client);
      return { pending: request, error };
    }
    // kafkajs resolves although it omitted the records without a leader.
    const acknowledged = new Map(
      answer
        .filter(({ errorCode }) => errorCode === 0)
        .map(({ topicName, partition, baseOffset }) => [batchKey({ topic: topicName, partition }), Number(baseOffset)]),
    );
    const lost: Pending[] = [];
    for (const pending of request) {
      const key = batchKey(pending);
      const offset = acknowledged.get(key);
      if (offset === undefined) lost.push(pending);
      else {
        // Records of a partition are one batch, in the order of the request.
        acknowledged.set(key, offset + 1);
        pending.call.stored(pending.index, pending.partition, offset);
      }
    }
    if (lost.length === 0) return undefined;
    this.#partitions.forgetAll();
    this.#renewClient(client);
    const where = [...new Set(lost.map(batchKey))].join(', ');
    return { pending: lost, error: new KafkaPortError('DB_KAFKA_NOT_ACKNOWLEDGED', `produce: no answer for ${where}`) };
  }

  async #connect(): Promise<void> {
    const client = this.#client;
    if (this.#isConnected) return;
    await client.connect();
    this.#isConnected ||= client === this.#client;
  }

  /**
   * A topic that a kafkajs producer has once written to stays in its metadata requests permanently; when it is deleted,
   * they all fail, for every topic.
   */
  #renewClient(failed: Producer): void {
    if (this.#client !== failed) return;
    this.#client = this.#createClient();
    this.#isConnected = false;
    this.#partitions.forgetAll();
    // It waits for requests in flight. The new one connects with its first request.
    failed.disconnect().catch(() => {});
  }

  #createClient(): Producer {
    return createKafka(this.#settings, 'producer').producer({
      allowAutoTopicCreation: false,
      idempotent: false,
      createPartitioner:
        () =>
        ({ message }: { message: Message }) =>
          message.partition as number,
      // kafkajs's own retry can resolve although messages are lost, and delays everybody: we retry ourselves.
      retry: { retries: 0 },
    });
  }

  #failOverdue(pending: Pending[], error: KafkaPortError): Pending[] {
    const nowMs = systemClock.monotonicMs();
    fail(
      pending.filter(({ call }) => call.deadlineMs <= nowMs),
      error,
    );
    return pending.filter(({ call }) => call.deadlineMs > nowMs);
  }
}

function fail(pending: readonly Pending[], error: KafkaPortError): void {
  for (const { call, index } of pending) call.settle(index, error);
}

/** The broker, or the encoder, refuses a record that was sent; otherwise the connection failed. */
function isAboutPartitions(error: KafkaPortError): boolean {
  return error.code !== 'DB_KAFKA_UNAVAILABLE' || protocolErrorType(error) !== undefined || isBug(error);
}

function byPartition(pending: readonly Pending[]): Pending[][] {
  return [...Map.groupBy(pending, batchKey).values()];
}

function byTopic(request: readonly Pending[]): { topic: string; messages: Message[] }[] {
  const topics = Map.groupBy(request, ({ topic }) => topic);
  return [...topics].map(([topic, pending]) => ({ topic, messages: pending.map(({ message }) => message) }));
}
