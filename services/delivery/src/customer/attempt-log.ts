import { randomUUID } from 'node:crypto';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import { type Attempt, attemptsRecord } from '@databridge/schemas/records/attempts';

/**
 * The number of attempts in one record, so that no record exceeds the limit of the topic: an attempt takes at most 3
 * KiB.
 */
const MAX_ATTEMPTS_A_RECORD = 300;

/** Writes one customer's attempts to the attempts topic: batched, and acknowledged before offsets are committed. */
export class AttemptLog {
  readonly #producer: RecordProducer;
  readonly #customer: string;
  readonly #worker: string;
  #pending: Attempt[] = [];

  constructor(producer: RecordProducer, customer: string, worker: string) {
    this.#producer = producer;
    this.#customer = customer;
    this.#worker = worker;
  }

  append(attempt: Attempt): void {
    this.#pending.push(attempt);
  }

  /**
   * Resolves when everything appended before this call is in the topic; after a rejection the next call writes it
   * again. Callers make one call at a time.
   */
  async flush(): Promise<void> {
    const attempts = this.#pending;
    if (attempts.length === 0) return;
    this.#pending = [];
    const records = [];
    for (let from = 0; from < attempts.length; from += MAX_ATTEMPTS_A_RECORD) {
      const batch = attempts.slice(from, from + MAX_ATTEMPTS_A_RECORD);
      const found = { customer: this.#customer, worker: this.#worker, attempts: batch };
      records.push(attemptsRecord(found, randomUUID()));
    }
    try {
      await this.#producer.send(records);
    } catch (error) {
      this.#pending = attempts.concat(this.#pending);
      throw error;
    }
  }
}
