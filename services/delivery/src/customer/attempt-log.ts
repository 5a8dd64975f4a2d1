import type { RecordProducer } from '@databridge/kernel/kafka/records';
import { type Attempt, encodeAttempts } from '@databridge/schemas/records/attempts';
import { ATTEMPTS_TOPIC } from '@databridge/schemas/records/topics';

/** Attempts in one record, so that none outgrows what a topic takes: at most 3 KiB each. */
const MAX_ATTEMPTS_A_RECORD = 300;

/** One customer's attempts on their way to the attempts topic: batched, and acknowledged before offsets are committed. */
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
   * Resolves when everything appended before this call is on the log; after a rejection the next call writes it again.
   * One call at a time.
   */
  async flush(): Promise<void> {
    const attempts = this.#pending;
    if (attempts.length === 0) return;
    this.#pending = [];
    const records = [];
    for (let from = 0; from < attempts.length; from += MAX_ATTEMPTS_A_RECORD) {
      const batch = attempts.slice(from, from + MAX_ATTEMPTS_A_RECORD);
      const value = encodeAttempts({ customer: this.#customer, worker: this.#worker, attempts: batch });
      records.push({ topic: ATTEMPTS_TOPIC, key: this.#customer, value });
    }
    try {
      await this.#producer.send(records);
    } catch (error) {
      this.#pending = attempts.concat(this.#pending);
      throw error;
    }
  }
}
