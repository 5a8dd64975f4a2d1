import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { decodeSubscription, formatIssues, type Subscription } from '@databridge/schemas/subscription/subscription';
import { within } from '../within.ts';

/** Kafka has the record, and its reader is away that long: what was asked for is better told to be tried again. */
const READ_WITHIN_MS = 10_000;

/** Every customer's subscription as it stands in Kafka, secrets sealed, kept in memory. */
export class SubscriptionTable {
  readonly #table: CompactedTable<Subscription>;

  constructor(kafka: KafkaSettings) {
    this.#table = new CompactedTable(kafka, {
      topic: SUBSCRIPTIONS_TOPIC,
      maxWaitMs: 200,
      decode(customer, value) {
        const parsed = decodeSubscription(customer, value);
        if (parsed.ok) return parsed.subscription;
        kafka.log.error({ customer }, `the stored subscription is not valid: ${formatIssues(parsed.issues)}`);
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
   * With all that was acknowledged to anybody, by any control plane, before the call.
   * @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE`
   */
  async read(): Promise<ReadonlyMap<string, Subscription>> {
    await within(READ_WITHIN_MS, this.#table.refreshed(), 'read the subscriptions to their end');
    return new Map(this.#table.entries());
  }

  /** Resolves once what stands before these ends is read, and would be by anybody. */
  async readUpTo(ends: readonly { readonly partition: number; readonly end: number }[]): Promise<void> {
    await within(READ_WITHIN_MS, this.#table.readUpTo(ends), 'read back what was written');
  }
}
