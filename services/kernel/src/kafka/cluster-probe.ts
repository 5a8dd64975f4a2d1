import kafkajs, { type Admin } from 'kafkajs';
import { toPortError } from './errors.ts';
import { createKafka, type KafkaSettings } from './kafkajs/client.ts';

export interface PartitionHealth {
  readonly topic: string;
  readonly partition: number;
  readonly hasLeader: boolean;
  readonly replicas: number;
  readonly inSync: number;
}

/**
 * Checks of the cluster's health and our rights, none of which changes anything: the broker only validates creations
 * and alterations. Every method throws a `KafkaPortError`, `DB_KAFKA_REFUSED` if a right is missing.
 */
export class ClusterProbe {
  readonly #admin: Admin;

  constructor(settings: KafkaSettings) {
    this.#admin = createKafka(settings, 'probe').admin();
  }

  /** @returns the number of brokers */
  async connect(): Promise<number> {
    return await this.#ask('connect to Kafka', async () => {
      await this.#admin.connect();
      return (await this.#admin.describeCluster()).brokers.length;
    });
  }

  async disconnect(): Promise<void> {
    await this.#admin.disconnect().catch(() => undefined);
  }

  /** The settings of each broker, defaults included. Needs the right DescribeConfigs on the cluster. */
  async brokerSettings(names: readonly string[]): Promise<Map<string, Record<string, string>>> {
    return await this.#ask('describe the brokers', async () => {
      const { brokers } = await this.#admin.describeCluster();
      const { resources } = await this.#admin.describeConfigs({
        includeSynonyms: false,
        resources: brokers.map(({ nodeId }) => ({
          type: kafkajs.ConfigResourceTypes.BROKER,
          name: String(nodeId),
          configNames: [...names],
        })),
      });
      return new Map(
        resources.map(({ resourceName, configEntries }) => [
          resourceName,
          Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        ]),
      );
    });
  }

  /** The partitions of every topic that we may describe. */
  async partitions(): Promise<PartitionHealth[]> {
    const { topics } = await this.#ask('describe the topics', () => this.#admin.fetchTopicMetadata());
    return topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionId, leader, replicas, isr }) => ({
        topic: name,
        partition: partitionId,
        hasLeader: leader >= 0,
        replicas: replicas.length,
        inSync: isr.length,
      })),
    );
  }

  /** Resolves if a topic of that name could be created. */
  async checkMayCreate(topic: string): Promise<void> {
    await this.#ask(`create ${topic}`, () =>
      this.#admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic, numPartitions: 1 }] }),
    );
  }

  /** Resolves if the topic's settings could be altered. @param settings the present ones */
  async checkMayAlter(topic: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await this.#ask(`alter the settings of ${topic}`, () =>
      this.#admin.alterConfigs({
        validateOnly: true,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
      }),
    );
  }

  async #ask<T>(doing: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw toPortError(error, doing);
    }
  }
}
