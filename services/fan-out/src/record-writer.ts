import { KafkaPortError, ProduceError } from '@databridge/kernel/kafka/errors';
import type { ProducedRecord, RecordProducer } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import { Backoff } from '@databridge/kernel/time/backoff';
import { ErasedEvents } from '@databridge/schemas/privacy/erasures';
import { customerOfDeliveryTopic } from '@databridge/schemas/records/topics';
import type { SubscriptionIndex } from '@databridge/schemas/subscription/match';
import { BACKOFF, type IntakeProgress } from './intake-progress.ts';
import type { OwnFaults } from './own-faults.ts';
import { withoutErased } from './without-erased.ts';

export interface RecordWriterParts {
  readonly producer: RecordProducer;
  readonly subscriptions: Pick<SubscriptionIndex, 'has'>;
  /** If omitted, nothing was ever erased. */
  readonly erased?: Pick<ErasedEvents, 'isEmpty' | 'has'>;
  readonly log: Logger;
}

const NONE_ERASED = new ErasedEvents();

/** Writes copies and quarantined records until Kafka has acknowledged all of them. */
export class RecordWriter {
  readonly #parts: RecordWriterParts;
  readonly #faults: OwnFaults;

  constructor(parts: RecordWriterParts, faults: OwnFaults) {
    this.#parts = parts;
    this.#faults = faults;
  }

  /** @returns false if the membership ended before all records were acknowledged */
  async write(progress: IntakeProgress, records: readonly ProducedRecord[]): Promise<boolean> {
    const { producer, erased = NONE_ERASED, log } = this.#parts;
    const self = Symbol();
    try {
      let left = records;
      const backoff = new Backoff(BACKOFF);
      while (left.length > 0) {
        if (progress.isOver) return false;
        // Checked before each try: a write may have to wait for long.
        left = withoutErased(left, erased);
        try {
          await producer.send(left);
          return true;
        } catch (error) {
          if (!(error instanceof KafkaPortError)) throw error;
          if (error instanceof ProduceError) left = error.failedIndexes.map((index) => left[index] as ProducedRecord);
          left = left.filter((record) => !this.#isForNobody(record));
          // This includes a missing topic: dropping would lose events, and an operator can create the topic.
          if (left.length === 0) return true;
          const topics = [...new Set(left.map(({ topic }) => topic))];
          this.#faults.note(self, 'write');
          const retryInMs = backoff.next();
          log.error(
            { event: 'fan_out_write_failed', err: error, topics, records: left.length, retryInMs },
            'write to Kafka failed',
          );
          await progress.pause(retryInMs);
        }
      }
      return true;
    } finally {
      this.#faults.end(self);
    }
  }

  /** The customer was deleted after the record was routed, and the topic may be deleted. */
  #isForNobody({ topic }: ProducedRecord): boolean {
    const customer = customerOfDeliveryTopic(topic);
    return customer !== undefined && !this.#parts.subscriptions.has(customer);
  }
}
