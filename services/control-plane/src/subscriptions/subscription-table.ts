import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { decodeSubscription, formatIssues, type Subscription } from '@databridge/schemas/subscription/subscription';
import { within } from '../within.ts';

/** The time that a request waits for the table to catch up; after that, the client is asked to retry. */
const READ_WITHIN_MS = 10_000;

/** An in-memory copy of every customer's subscription in Kafka, secrets sealed. */
export class SubscriptionTable {
  readonly #table: CompactedTable<Subscription>;

  constructor(kafka: KafkaSettings) {
    this.#table = new CompactedTable(kafka, {
      topic: SUBSCRIPTIONS_TOPIC,
      maxWaitMs: 200,
      decode(customer, value) {
        const parsed = decodeSubscription(customer, value);
        if (parsed.ok) return parsed.subscription;
        kafka.log.error(
          { event: 'subscription_invalid', customer },
          `stored subscription is not valid: ${formatIssues(parsed.issues)}`,
        );
        return undefined;
      },
    });
  }

  async start(): Promise<void> {
    await this.#table.start();
    await this.#table.caughtUp();
  }

  async stop(): Promise<void> {
    await this.#table.stop();
  }

  /**
   * Includes every change that any control plane acknowledged before the call.
   * @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE`
   */
  async read(): Promise<ReadonlyMap<string, Subscription>> {
    await within(READ_WITHIN_MS, this.#table.refreshed(), 'read the subscriptions to their end');
    return new Map(this.#table.entries());
  }

  /** Resolves once all committed records before these ends are read. */
  async readUpTo(ends: readonly { readonly partition: number; readonly end: number }[]): Promise<void> {
    await within(READ_WITHIN_MS, this.#table.readUpTo(ends), 'read back what was written');
  }
}
