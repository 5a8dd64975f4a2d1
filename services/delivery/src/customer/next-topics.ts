import type { Clock } from '@databridge/kernel/clock';
import type { ProducedRecord, RecordProducer } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { HeldRecord } from '../lanes/held-records.ts';
import type { DeliveryMetrics } from '../metrics.ts';

export interface NextTopicsOptions {
  readonly producer: Pick<RecordProducer, 'send'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<DeliveryMetrics, 'ownFaults'>;
  readonly isOurs: (record: HeldRecord) => boolean | Promise<boolean>;
  /** Resolves when the customer is to stop: what could not be written then is delivered again by the next owner. */
  readonly stopping: Promise<unknown>;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** Writes records to the topics that come next, retry and dead letters, for as long as it takes. */
export class NextTopics {
  readonly #with: NextTopicsOptions;
  #isStopping = false;

  constructor(options: NextTopicsOptions) {
    this.#with = options;
    void options.stopping.then(() => {
      this.#isStopping = true;
    });
  }

  /**
   * Resolves when Kafka has the record. Kafka being away is our own fault, never the customer's: it waits.
   * @param of the record that it follows from
   * @returns false if that stopped being ours to decide on, or the customer stops
   */
  async write(next: ProducedRecord, of: HeldRecord): Promise<boolean> {
    const { producer, metrics, log, isOurs } = this.#with;
    for (let delayMs = FIRST_RETRY_MS; await isOurs(of); delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS)) {
      try {
        await producer.send([next]);
        return true;
      } catch (error) {
        metrics.ownFaults.inc({ doing: 'produce' });
        log.warn({ err: error, topic: next.topic, retryInMs: delayMs }, 'writing to the next topic failed; waiting');
        if (this.#isStopping) return false;
        await this.#pause(delayMs);
      }
    }
    return false;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#with.clock.after(delayMs, resolve);
      void this.#with.stopping.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
