import { toPortError } from './errors.ts';
import type { KafkaSettings } from './kafkajs/client.ts';
import { createCluster, type FetchResponse, RawBatch, type RawCluster, READ_COMMITTED } from './kafkajs/raw-cluster.ts';
import type { TopicPartition } from './records.ts';
import { patiently } from './topic-reader.ts';

/** A record. */
export interface Place extends TopicPartition {
  readonly offset: number;
}

const MAX_WAIT_MS = 100;
const PARTITION_BYTES = 1_048_576;

/**
 * Which records some replica still contains. Compaction is each broker's own: what the leader has removed, a follower may
 * hold until its cleaner comes by, and show as the next leader. Brokers answer consumers as followers as well (KIP-392).
 * @param places in topics that exist
 * @returns those that a replica answered with, and those of which a replica gave no answer: it is down, say
 * @throws {KafkaPortError} `DB_KAFKA_UNKNOWN_TOPIC`
 */
export async function keptByReplicas<P extends Place>(
  settings: KafkaSettings,
  places: readonly P[],
): Promise<ReadonlySet<P>> {
  const cluster = createCluster(settings, 'replica-reader');
  const kept = new Set<P>();
  try {
    await cluster.connect();
    await patiently(() => cluster.addMultipleTargetTopics([...new Set(places.map(({ topic }) => topic))]));
    for (const place of places) if (await isKept(cluster, place)) kept.add(place);
    return kept;
  } catch (error) {
    throw toPortError(error, 'reading replicas');
  } finally {
    await cluster.disconnect().catch(() => undefined);
  }
}

async function isKept(cluster: RawCluster, place: Place): Promise<boolean> {
  const partitions = cluster.findTopicPartitionMetadata(place.topic);
  const { replicas = [] } = partitions.find(({ partitionId }) => partitionId === place.partition) ?? {};
  for (const nodeId of replicas) if (await mayContain(cluster, nodeId, place)) return true;
  return replicas.length === 0;
}

async function mayContain(cluster: RawCluster, nodeId: number, place: Place): Promise<boolean> {
  const { topic, partition, offset } = place;
  let response: FetchResponse;
  try {
    const broker = await cluster.findBroker({ nodeId: String(nodeId) });
    response = await broker.fetch({
      ...{ isolationLevel: READ_COMMITTED, maxWaitTime: MAX_WAIT_MS, minBytes: 1, maxBytes: PARTITION_BYTES },
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: PARTITION_BYTES }] }],
    });
  } catch (error) {
    // Retention deleted it.
    return !isOutOfRange(error);
  }
  const [answer] = response.responses.flatMap(({ partitions }) => partitions);
  // A broker that throttles answers empty, as does a follower that is behind.
  if (answer === undefined || answer.messages.length === 0) return true;
  const { messages } = new RawBatch(topic, String(offset), answer);
  return messages.some((message) => Number(message.offset) === offset);
}

function isOutOfRange(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if ('type' in e && e.type === 'OFFSET_OUT_OF_RANGE') return true;
  return false;
}
