/** The layer below kafkajs's clients: requests to brokers, without a consumer group. Only the port's readers use it. */
import { createRequire } from 'node:module';
import type { KafkaMessage } from 'kafkajs';
import { KafkaPortError } from '../errors.ts';
import { createKafka, type KafkaSettings } from './client.ts';

export interface FetchRequest {
  readonly isolationLevel: number;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
  }[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  /** All transactions below this offset have ended. */
  readonly lastStableOffset: string;
  readonly messages: readonly unknown[];
}

export interface FetchResponse {
  readonly throttleTime?: number;
  readonly clientSideThrottleTime?: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

export interface OffsetsQuery {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
  readonly fromBeginning?: boolean;
  readonly fromTimestamp?: number;
}

export interface RawCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly partitionId: number; readonly leader: number; readonly replicas: readonly number[] }[];
  findBroker(destination: { nodeId: string }): Promise<{ fetch(request: FetchRequest): Promise<FetchResponse> }>;
  fetchTopicsOffset(topics: readonly OffsetsQuery[]): Promise<
    {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[]
  >;
}

const CREATE_CLUSTER = 'private:Kafka:createCluster';
export const READ_COMMITTED = 1;

/** @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED` */
export function createCluster(settings: KafkaSettings, role: string): RawCluster {
  const kafka = createKafka(settings, role) as unknown as Record<symbol, (options: object) => RawCluster>;
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER);
  const create = symbol && kafka[symbol];
  if (create === undefined) {
    throw new KafkaPortError(
      'DB_KAFKA_CLIENT_CHANGED',
      `kafkajs has no "${CREATE_CLUSTER}" any more: adapt raw-cluster`,
    );
  }
  return create({ metadataMaxAge: 60_000, allowAutoTopicCreation: false });
}

/** kafkajs's own view of a partition's answer: without records of aborted transactions, and without markers. */
export interface RawBatch {
  readonly messages: readonly KafkaMessage[];
  /** The last offset that was fetched, markers included. */
  lastOffset(): string;
  /** Returns whether no record at or after the fetched offset came. */
  isEmptyIncludingFiltered(): boolean;
}

export const RawBatch: new (topic: string, fetchedOffset: string, partition: FetchedPartition) => RawBatch =
  createRequire(import.meta.url)('kafkajs/src/consumer/batch');
