import { KafkaPortError } from '../../errors.ts';
import { type BrokerAddress, BrokerConnection } from '../../kafkajs/broker-connection.ts';
import type { KafkaSettings } from '../../kafkajs/client.ts';
import { wireRequest } from '../../kafkajs/wire-requests.ts';
import { CODE } from '../../protocol-codes.ts';
import type { TopicPartition } from '../../records.ts';
import { BrokerLink } from './broker-link.ts';

/** The leaders of a topic's partitions, or why there is no answer. */
export interface TopicLeaders {
  readonly errorCode: number;
  readonly partitions: readonly number[];
  /** Partition → broker. */
  readonly leaders: ReadonlyMap<number, number>;
}

/** A partition with the broker that led it when that was last asked; undefined if it had none. */
export interface LedPartition extends TopicPartition {
  readonly leader?: number | undefined;
}

interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number;
      readonly partitionId: number;
      readonly leader: number;
    }[];
  }[];
}

/** The known brokers, a link to each of them, and the leaders of partitions. */
export class Cluster {
  readonly #settings: KafkaSettings;
  readonly #addresses = new Map<number, BrokerAddress>();
  readonly #links = new Map<number, BrokerLink>();
  readonly #seeds: readonly BrokerAddress[];
  #seedTurn = 0;
  #seed: BrokerConnection | undefined;
  #isClosed = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#seeds = settings.brokers.map(parseAddress);
  }

  /** The link to a broker as coordinator. @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` if the broker is not known */
  link(nodeId: number): BrokerLink {
    const known = this.#links.get(nodeId);
    if (known) return known;
    const link = new BrokerLink(() => this.connect(nodeId));
    this.#links.set(nodeId, link);
    return link;
  }

  /** A new connection to a broker. @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` if the broker is not known */
  connect(nodeId: number): BrokerConnection {
    const address = this.#addresses.get(nodeId);
    if (this.#isClosed) throw new KafkaPortError('DB_KAFKA_CLOSED', 'the lane reader is closed');
    if (!address) throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `broker ${nodeId} is not known`);
    return new BrokerConnection(this.#settings, address);
  }

  knows(nodeId: number): boolean {
    return this.#addresses.has(nodeId);
  }

  /** Notes the address of a broker that another broker has named. */
  learn(nodeId: number, address: BrokerAddress): void {
    const before = this.#addresses.get(nodeId);
    if (before?.host === address.host && before.port === address.port) return;
    this.#addresses.set(nodeId, address);
    this.#links.get(nodeId)?.close();
    this.#links.delete(nodeId);
  }

  /** A connection to any broker, for requests that every broker can answer. */
  any(): BrokerConnection {
    if (this.#isClosed) throw new KafkaPortError('DB_KAFKA_CLOSED', 'the lane reader is closed');
    for (const link of this.#links.values()) if (link.isConnected) return link.shared();
    if (!this.#seed?.isUsable) {
      // Another broker each time: the first may be the one that is away.
      const seed = this.#seeds[this.#seedTurn++ % this.#seeds.length] as BrokerAddress;
      this.#seed = new BrokerConnection(this.#settings, seed);
    }
    return this.#seed;
  }

  /**
   * The leaders of the partitions of these topics, none of which is created.
   * @throws {KafkaPortError} if the broker that was asked does not answer; the next call asks another
   */
  async leaders(topics: readonly string[]): Promise<Map<string, TopicLeaders>> {
    // An empty list would ask for all topics.
    if (topics.length === 0) return new Map();
    const wire = wireRequest<MetadataAnswer>('Metadata', { topics, allowAutoTopicCreation: false });
    const { brokers, topicMetadata } = await this.any().send(wire);
    for (const { nodeId, host, port } of brokers) this.learn(nodeId, { host, port });
    return new Map(
      topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }) => {
        const led = partitionMetadata.filter(({ partitionErrorCode, leader }) => {
          return partitionErrorCode !== CODE.LEADER_NOT_AVAILABLE && leader >= 0;
        });
        const leaders = new Map(led.map(({ partitionId, leader }) => [partitionId, leader]));
        const partitions = partitionMetadata.map(({ partitionId }) => partitionId).sort((a, b) => a - b);
        return [topic, { errorCode: topicErrorCode, partitions, leaders }] as const;
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#seed?.close();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}

function parseAddress(broker: string): BrokerAddress {
  const at = broker.lastIndexOf(':');
  return { host: broker.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(broker.slice(at + 1)) };
}
