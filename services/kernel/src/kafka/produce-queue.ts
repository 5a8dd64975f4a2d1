import type { IHeaders, Message } from 'kafkajs';
import { type KafkaPortError, ProduceError } from './errors.ts';
import type { ProducedRecord, RecordHeaders } from './records.ts';

/** One `send`: settled when the last of its records is. */
export class SendCall {
  readonly done: Promise<void>;
  /** By the monotonic clock; nothing is tried again after it. */
  readonly deadlineMs: number;
  readonly #settled = Promise.withResolvers<void>();
  readonly #failedIndexes: number[] = [];
  #firstFailure: KafkaPortError | undefined;
  #open: number;

  constructor(records: number, deadlineMs: number) {
    this.#open = records;
    this.deadlineMs = deadlineMs;
    this.done = this.#settled.promise;
  }

  settle(index: number, failure?: KafkaPortError): void {
    if (failure) {
      this.#firstFailure ??= failure;
      this.#failedIndexes.push(index);
    }
    this.#open--;
    if (this.#open > 0) return;
    if (!this.#firstFailure) this.#settled.resolve();
    else
      this.#settled.reject(
        new ProduceError(
          this.#firstFailure,
          this.#failedIndexes.sort((a, b) => a - b),
        ),
      );
  }
}

/** One record on its way. */
export interface Pending {
  readonly call: SendCall;
  readonly index: number;
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
  readonly message: Message;
}

export interface RequestLimits {
  /** All records of a request to one partition are one record batch, which the topic's `max.message.bytes` bounds. */
  readonly maxBatchBytes: number;
  /** A request to all partitions together. */
  readonly maxRequestBytes: number;
}

/** kafkajs groups the messages of a partition in quadratic time. */
const MAX_RECORDS_PER_BATCH = 1_000;

/** The header of a record batch (61 bytes), and some of the request around it. */
const BATCH_OVERHEAD_BYTES = 100;

/** Takes from the queue what fits one request, in order; what doesn't fit its partition's batch waits for the next. */
export function takeRequest(queue: readonly Pending[], limits: RequestLimits): { request: Pending[]; rest: Pending[] } {
  const request: Pending[] = [];
  const rest: Pending[] = [];
  const batches = new Map<string, { bytes: number; records: number; isFull: boolean }>();
  let requestBytes = 0;
  for (const pending of queue) {
    const key = batchKey(pending);
    const batch = batches.get(key) ?? { bytes: BATCH_OVERHEAD_BYTES, records: 0, isFull: false };
    batches.set(key, batch);
    // Once full it stays so: a smaller one that came later must not overtake.
    batch.isFull ||=
      batch.records > 0 &&
      (batch.bytes + pending.bytes > limits.maxBatchBytes || batch.records === MAX_RECORDS_PER_BATCH);
    batch.isFull ||= request.length > 0 && requestBytes + pending.bytes > limits.maxRequestBytes;
    if (batch.isFull) {
      rest.push(pending);
      continue;
    }
    batch.bytes += pending.bytes;
    batch.records++;
    requestBytes += pending.bytes;
    request.push(pending);
  }
  return { request, rest };
}

export function batchKey({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

/** The most that the record can take in a batch of its own. */
export function batchBytes(record: ProducedRecord): number {
  return BATCH_OVERHEAD_BYTES + recordBytes(record);
}

/** The most that the record can take uncompressed: every variable-length integer at its longest. */
export function recordBytes({ key, value, headers }: ProducedRecord): number {
  let bytes = 5 + 1 + 10 + 5 + 5 + byteLength(key) + 5 + byteLength(value) + 5;
  for (const [name, values] of Object.entries(headers ?? {})) {
    for (const one of Array.isArray(values) ? values : [values]) {
      bytes += 5 + byteLength(name) + 5 + byteLength(one);
    }
  }
  return bytes;
}

function byteLength(value: Buffer | string | null | undefined): number {
  return value === null || value === undefined ? 0 : Buffer.byteLength(value);
}

export function toMessage({ key, value, headers }: ProducedRecord, partition: number): Message {
  return { key, value, partition, ...(headers === undefined ? {} : { headers: withoutNulls(headers) }) };
}

/** A header that was consumed may be null, whatever its type says; kafkajs throws on one. */
function withoutNulls(headers: RecordHeaders): IHeaders {
  const values = Object.values(headers);
  if (values.every((value) => value !== undefined && value !== null)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined && value !== null));
}
