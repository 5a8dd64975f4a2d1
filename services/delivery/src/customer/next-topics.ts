import type { Ending } from '@databridge/kernel/ending';
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import type { ProducedRecord, RecordProducer } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import { Backoff, KAFKA_BACKOFF } from '@databridge/kernel/time/backoff';
import type { Clock } from '@databridge/kernel/time/clock';
import type { DeliveryHeaders } from '@databridge/schemas/records/headers';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { DeliveryMetrics } from '../metrics.ts';

export interface NextTopicsOptions {
  readonly producer: Pick<RecordProducer, 'send'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<DeliveryMetrics, 'ownFaults'>;
  readonly isOurs: (record: BufferedRecord) => boolean | Promise<boolean>;
  /** Returns whether the event was erased: then nothing of it is written. If omitted, nothing was ever erased. */
  readonly isErased?: ((facts: DeliveryHeaders) => boolean) | undefined;
  /** Creates a topic that does not exist yet: a customer that never failed needs only its main lane. */
  readonly ensure: (topic: string) => Promise<void>;
  /**
   * Aborted when the customer is to stop: records that could not be written then are delivered again by the next owner.
   */
  readonly stopping: Ending;
  /** A random number from 0 to 1: the jitter of delays. */
  readonly random?: (() => number) | undefined;
}

/** Writes records to the next topics (retry and dead letters), for as long as it takes. */
export class NextTopics {
  readonly #with: NextTopicsOptions;
  readonly #existing: Set<string>;
  /** Topics that are being created: all records that fail at the same time wait for the same creation. */
  readonly #ensuring = new Map<string, Promise<void>>();
  /** The number of writes that Kafka refused and that are being tried again. */
  #refused = 0;

  /** @param existing topics that exist already */
  constructor(options: NextTopicsOptions, existing: Iterable<string>) {
    this.#with = options;
    this.#existing = new Set(existing);
  }

  /** True while Kafka refuses at least one write. */
  get isInTrouble(): boolean {
    return this.#refused > 0;
  }

  /**
   * Resolves when Kafka has the record, or the event was erased. While Kafka is unavailable it waits, since the customer is not the cause.
   * @param of the source record
   * @returns false if this worker lost the right to decide on it, or the customer stops
   */
  async write(next: ProducedRecord, of: BufferedRecord): Promise<boolean> {
    const { producer, metrics, log, isOurs, isErased, stopping, random } = this.#with;
    const backoff = new Backoff(KAFKA_BACKOFF, random);
    for (;;) {
      // A record that became another worker's must not be written, for that worker would find this copy beside the original.
      // So nothing is awaited between the answer and the write: after each wait it is asked again.
      const ours = isOurs(of);
      if (ours !== true) {
        if (await ours) continue;
        return false;
      }
      if (isErased?.(of.facts)) return true;
      try {
        if (!this.#existing.has(next.topic)) {
          await this.#ensure(next.topic);
          continue;
        }
        await producer.send([next]);
        return true;
      } catch (error) {
        // The topic was deleted in the meantime.
        if (error instanceof KafkaPortError && error.code === 'DB_KAFKA_UNKNOWN_TOPIC')
          this.#existing.delete(next.topic);
        metrics.ownFaults.inc({ doing: 'produce' });
        const retryInMs = backoff.next();
        log.warn(
          { event: 'record_write_failed', err: error, topic: next.topic, retryInMs },
          'record not written to the next topic; trying again',
        );
        if (stopping.hasEnded) return false;
        this.#refused++;
        await this.#pause(retryInMs);
        this.#refused--;
      }
    }
  }

  #ensure(topic: string): Promise<void> {
    const known = this.#ensuring.get(topic);
    if (known) return known;
    const ensuring = this.#with.ensure(topic).then(
      () => {
        this.#existing.add(topic);
        this.#ensuring.delete(topic);
      },
      (error: unknown) => {
        this.#ensuring.delete(topic);
        throw error;
      },
    );
    this.#ensuring.set(topic, ensuring);
    return ensuring;
  }

  #pause(delayMs: number): Promise<void> {
    const { clock, stopping } = this.#with;
    return new Promise((resolve) => {
      const timer = clock.after(delayMs, () => {
        forget();
        resolve();
      });
      const forget = stopping.onEnd(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
