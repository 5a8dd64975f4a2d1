import type { TopicSpec } from '@databridge/schemas/records/topics';
import kafkajs from 'kafkajs';
import { protocolErrorType, toPortError } from '../errors.ts';
import type { AdminClient } from './admin-client.ts';
import { topicFailures } from './admin-failures.ts';
import { requestsOf } from './topic-requests.ts';

export interface TopicMismatch {
  readonly topic: string;
  /** The name of a setting, or `partitions`. */
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
}

export interface EnsuredTopics {
  readonly created: string[];
  readonly mismatched: TopicMismatch[];
}

const REPLICAS = 3;
/** With three replicas: a write survives the loss of one broker, and writes continue during it. */
const MIN_IN_SYNC = '2';

/** Creates topics that are missing, and compares existing ones with their specs. Every method throws a `KafkaPortError`. */
export class TopicCreation {
  readonly #client: AdminClient;
  readonly #listTopics: () => Promise<string[]>;

  constructor(client: AdminClient, listTopics: () => Promise<string[]>) {
    this.#client = client;
    this.#listTopics = listTopics;
  }

  /** Existing topics are left as they are. */
  async ensure(given: readonly TopicSpec[]): Promise<EnsuredTopics> {
    const specs = [...new Map(given.map((spec) => [spec.topic, spec])).values()];
    const { wanted, replicationFactor } = await this.#forThisCluster(specs);
    const existing = new Set(await this.#listTopics());
    const missing = wanted.filter(({ topic }) => !existing.has(topic));
    const created: string[] = [];
    for (const few of requestsOf(missing)) created.push(...(await this.#create(few, replicationFactor)));
    const kept = wanted.filter(({ topic }) => !created.includes(topic));
    return { created, mismatched: await this.#mismatches(kept) };
  }

  /** Compares the topics with their specs. Changes nothing. */
  async differences(specs: readonly TopicSpec[]): Promise<{ missing: string[]; mismatched: TopicMismatch[] }> {
    const { wanted } = await this.#forThisCluster(specs);
    const existing = new Set(await this.#listTopics());
    const missing = wanted.filter(({ topic }) => !existing.has(topic)).map(({ topic }) => topic);
    return { missing, mismatched: await this.#mismatches(wanted.filter(({ topic }) => existing.has(topic))) };
  }

  async #forThisCluster(specs: readonly TopicSpec[]): Promise<{ wanted: TopicSpec[]; replicationFactor: number }> {
    const brokers = (await this.#client.call('describe the cluster', (admin) => admin.describeCluster())).brokers
      .length;
    const replicationFactor = Math.min(REPLICAS, brokers);
    const wanted = specs.map((spec) => ({
      ...spec,
      config: replicationFactor === REPLICAS ? { 'min.insync.replicas': MIN_IN_SYNC, ...spec.config } : spec.config,
    }));
    return { wanted, replicationFactor };
  }

  async #create(specs: readonly TopicSpec[], replicationFactor: number): Promise<string[]> {
    const created = new Set(specs.map(({ topic }) => topic));
    const request = specs.map(({ topic, partitions, config }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    }));
    // The wait for leaders follows below: kafkajs waits for one topic at a time.
    const failures = await this.#client.call('create topics', (admin) =>
      admin
        .createTopics({ waitForLeaders: false, topics: request })
        .then((isAny) => (isAny ? [] : 'all exist'), topicFailures),
    );
    // Another client may create the same topics at this moment: those count as existing.
    if (failures === 'all exist') created.clear();
    else {
      for (const { error, topic } of failures) {
        if (protocolErrorType(error) !== 'TOPIC_ALREADY_EXISTS') throw toPortError(error, `create ${topic}`);
        created.delete(topic);
      }
    }
    const topics = specs.map(({ topic }) => topic);
    await this.#client.until('the topics have leaders', async () => {
      const found = await this.#client.current.fetchTopicMetadata({ topics });
      return found.topics.every(
        ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
      );
    });
    return [...created];
  }

  async #mismatches(specs: readonly TopicSpec[]): Promise<TopicMismatch[]> {
    if (specs.length === 0) return [];
    const topics = specs.map(({ topic }) => topic);
    const metadata = await this.#client.call('describe topics', (admin) => admin.fetchTopicMetadata({ topics }));
    const partitions = new Map(metadata.topics.map((found) => [found.name, found.partitions.length]));
    const { resources } = await this.#client.call('describe topics', (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: specs.map(({ topic, config }) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configNames: Object.keys(config),
        })),
      }),
    );
    const configs = new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
    return specs.flatMap(({ topic, partitions: wanted, config }) =>
      [
        { topic, setting: 'partitions', wanted: String(wanted), found: String(partitions.get(topic)) },
        ...Object.entries(config).map(([setting, value]) => ({
          topic,
          setting,
          wanted: value,
          found: configs.get(topic)?.get(setting) ?? '',
        })),
      ].filter((entry) => entry.wanted !== entry.found),
    );
  }
}
