import { toPortError } from './errors.ts';
import type { KafkaSettings } from './kafkajs/client.ts';
import { createCluster, type RawCluster } from './kafkajs/raw-cluster.ts';
import { patiently } from './topic-reader.ts';

/** Where a partition begins and ends: its oldest offset, and one past its newest. */
export interface PartitionEnds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Asks for the watermarks of many topics in two requests per broker, where `KafkaAdmin.watermarks` makes several per
 * topic. It keeps its connections.
 */
export class WatermarkReader {
  readonly #settings: KafkaSettings;
  #cluster: RawCluster | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
  }

  /** @param topics that exist @throws {KafkaPortError} */
  of(topics: readonly string[]): Promise<Map<string, PartitionEnds[]>> {
    // One after the other: the client keeps one list of the topics that it knows.
    const mine = this.#last.catch(() => undefined).then(() => this.#ask(topics));
    this.#last = mine;
    mine.catch(() => undefined);
    return mine;
  }

  async disconnect(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#cluster?.disconnect().catch(() => undefined);
    this.#cluster = undefined;
  }

  async #ask(topics: readonly string[]): Promise<Map<string, PartitionEnds[]>> {
    if (topics.length === 0) return new Map();
    try {
      return await patiently(() => this.#askOnce(topics));
    } catch (error) {
      throw toPortError(error, `fetch the watermarks of ${topics.length} topics`);
    }
  }

  async #askOnce(topics: readonly string[]): Promise<Map<string, PartitionEnds[]>> {
    const cluster = this.#cluster ?? createCluster(this.#settings, 'watermark-reader');
    try {
      if (this.#cluster === undefined) await cluster.connect();
      this.#cluster = cluster;
      await cluster.addMultipleTargetTopics(topics);
      await cluster.refreshMetadataIfNecessary();
      const queries = topics.map((topic) => ({
        topic,
        partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId })),
      }));
      const lows = await offsetsOf(cluster, queries, true);
      const highs = await offsetsOf(cluster, queries, false);
      return new Map(
        queries.map(({ topic, partitions }) => [
          topic,
          partitions
            .map(({ partition }) => {
              const place = `${topic}/${partition}`;
              return { partition, low: lows.get(place) ?? 0, high: highs.get(place) ?? 0 };
            })
            .sort((a, b) => a.partition - b.partition),
        ]),
      );
    } catch (error) {
      // A topic that was deleted fails every later call of a client that was once asked about it.
      this.#cluster = undefined;
      await cluster.disconnect().catch(() => undefined);
      throw error;
    }
  }
}

async function offsetsOf(
  cluster: RawCluster,
  queries: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }[],
  fromBeginning: boolean,
): Promise<Map<string, number>> {
  const found = await cluster.fetchTopicsOffset(queries.map((query) => ({ ...query, fromBeginning })));
  return new Map(
    found.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
    ),
  );
}
