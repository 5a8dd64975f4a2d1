import type { IHeaders, Message } from 'kafkajs';
import { type KafkaPortError, ProduceError } from '../errors.ts';
import type { ProducedRecord, RecordHeaders } from '../records.ts';

/** One `send`: it settles when the last of its records does. */
export class SendCall {
  readonly done: Promise<void>;
  /** The deadline by the monotonic clock; nothing is tried again after it. */
  readonly deadlineMs: number;
  readonly #settled = Promise.withResolvers<void>();
  readonly #failedIndexes: number[] = [];
  #firstFailure: KafkaPortError | undefined;
  #partition = -1;
  #offset = -1;
  #open: number;

  constructor(records: number, deadlineMs: number) {
    this.#open = records;
    this.deadlineMs = deadlineMs;
    this.done = this.#settled.promise;
  }

  /** The position of the record that was acknowledged last; undefined if the broker did not return it. */
  get lastStored(): { readonly partition: number; readonly offset: number } | undefined {
    return this.#offset >= 0 ? { partition: this.#partition, offset: this.#offset } : undefined;
  }

  stored(index: number, partition: number, offset: number): void {
    this.#partition = partition;
    this.#offset = offset;
    this.settle(index);
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

/** One record that waits for its acknowledgement. */
export interface Pending {
  readonly call: SendCall;
  readonly index: number;
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
  readonly message: Message;
}

export interface RequestLimits {
  /**
   * The limit per partition: all records of a request to one partition are one record batch, which the topic's
   * `max.message.bytes` limits.
   */
  readonly maxBatchBytes: number;
  /** The limit of a request to all partitions together. */
  readonly maxRequestBytes: number;
}

/** kafkajs groups the messages of a partition in quadratic time. */
const MAX_RECORDS_PER_BATCH = 1_000;

/** The header of a record batch (61 bytes), and some of the request around it. */
export const BATCH_OVERHEAD_BYTES = 100;

interface Batch {
  bytes: number;
  readonly records: Pending[];
}

/**
 * Records that wait to be sent, by partition and divided into batches on arrival, so that taking a request does not
 * examine the rest. A request takes one batch of each partition, beginning with those that have waited longest: no
 * partition is delayed by another's backlog.
 */
export class ProduceQueue {
  readonly #limits: RequestLimits;
  /** No queue in it is empty. The next to be served comes first. */
  readonly #partitions = new Map<string, Batch[]>();

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#partitions.size === 0;
  }

  push(pending: Pending): void {
    const key = batchKey(pending);
    const batches = this.#partitions.get(key);
    // Only the last batch grows: a small record that came later must not overtake.
    const last = batches?.at(-1);
    if (last && this.#fits(pending, last)) {
      last.bytes += pending.bytes;
      last.records.push(pending);
      return;
    }
    const batch = { bytes: BATCH_OVERHEAD_BYTES + pending.bytes, records: [pending] };
    if (batches) batches.push(batch);
    else this.#partitions.set(key, [batch]);
  }

  #fits(pending: Pending, batch: Batch): boolean {
    return batch.bytes + pending.bytes <= this.#limits.maxBatchBytes && batch.records.length < MAX_RECORDS_PER_BATCH;
  }

  /** Takes what fits into one request: at least one batch, if there is any. */
  take(): Pending[] {
    const taken: Batch[] = [];
    const unfinished: [string, Batch[]][] = [];
    let bytes = 0;
    for (const [key, batches] of this.#partitions) {
      const [batch] = batches as [Batch];
      bytes += batch.bytes;
      if (taken.length > 0 && bytes > this.#limits.maxRequestBytes) break;
      taken.push(batch);
      batches.shift();
      this.#partitions.delete(key);
      if (batches.length > 0) unfinished.push([key, batches]);
    }
    for (const [key, batches] of unfinished) this.#partitions.set(key, batches);
    return taken.flatMap(({ records }) => records);
  }

  /** Puts the rest of a request back, before all others and in its order. */
  putBack(request: readonly Pending[]): void {
    const waiting = [...this.#partitions];
    this.#partitions.clear();
    for (const pending of request) this.push(pending);
    for (const [key, batches] of waiting) this.#partitions.set(key, [...(this.#partitions.get(key) ?? []), ...batches]);
  }
}

export function batchKey({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

/** The greatest size of the record uncompressed: every variable-length integer at its longest. */
export function recordBytes({ key, value, headers }: ProducedRecord): number {
  let bytes = 5 + 1 + 10 + 5 + 5 + byteLength(key) + 5 + byteLength(value) + 5;
  for (const name in headers) {
    const values = headers[name];
    if (!Array.isArray(values)) bytes += 5 + byteLength(name) + 5 + byteLength(values);
    else for (const one of values) bytes += 5 + byteLength(name) + 5 + byteLength(one);
  }
  return bytes;
}

function byteLength(value: Buffer | string | null | undefined): number {
  return value === null || value === undefined ? 0 : Buffer.byteLength(value);
}

/** The greatest size of the record in a batch of its own. */
export function batchBytes(record: ProducedRecord): number {
  return BATCH_OVERHEAD_BYTES + recordBytes(record);
}

export function toMessage({ key, value, headers }: ProducedRecord, partition: number): Message {
  return headers === undefined ? { key, value, partition } : { key, value, partition, headers: withoutNulls(headers) };
}

/** The header of a consumed record may be null, although its type says otherwise; kafkajs throws on it. */
function withoutNulls(headers: RecordHeaders): IHeaders {
  let hasNull = false;
  for (const name in headers) hasNull ||= headers[name] === undefined || headers[name] === null;
  if (!hasNull) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined && value !== null));
}
