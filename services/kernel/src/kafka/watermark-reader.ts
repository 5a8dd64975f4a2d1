import { KafkaPortError, toPortError } from './errors.ts';
import type { KafkaSettings } from './kafkajs/client.ts';
import { READ_COMMITTED } from './kafkajs/raw-cluster.ts';
import { wireRequest } from './kafkajs/wire-requests.ts';
import { Cluster } from './lane-reader/brokers/cluster.ts';
import { CODE, codeName } from './protocol-codes.ts';
import { keyOf, type TopicPartition } from './records.ts';
import { patiently } from './topic-reader.ts';

/** The bounds of a partition: its oldest offset, and one past its newest. */
export interface PartitionEnds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

interface ListOffsetsAnswer {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

/** Special timestamps of the request ListOffsets. */
const EARLIEST = -2;
const LATEST = -1;

/**
 * Asks for the watermarks of many topics in three requests per broker, where `KafkaAdmin.watermarks` makes several per
 * topic. It keeps its connections, and nothing about topics: a deleted topic does not affect later calls.
 */
export class WatermarkReader {
  readonly #cluster: Cluster;

  constructor(settings: KafkaSettings) {
    this.#cluster = new Cluster(settings);
  }

  /**
   * Topics that do not exist are omitted from the result: a list of topics may be older than a deletion, and retry and
   * dead-letter topics are created with their first record.
   * @throws {KafkaPortError}
   */
  async of(topics: readonly string[]): Promise<Map<string, PartitionEnds[]>> {
    try {
      return await patiently(() => this.#ask([...new Set(topics)]));
    } catch (error) {
      throw toPortError(error, `fetch the watermarks of ${topics.length} topics`);
    }
  }

  disconnect(): void {
    this.#cluster.close();
  }

  async #ask(topics: readonly string[]): Promise<Map<string, PartitionEnds[]>> {
    const leaders = await this.#cluster.leaders(topics);
    const led: (TopicPartition & { readonly leader: number })[] = [];
    for (const [topic, { errorCode, partitions, leaders: leaderOf }] of leaders) {
      if (errorCode === CODE.UNKNOWN_TOPIC_OR_PARTITION) continue;
      if (errorCode !== CODE.NONE) throw failureOf(topic, errorCode);
      for (const partition of partitions) {
        const leader = leaderOf.get(partition);
        if (leader === undefined) throw failureOf(keyOf({ topic, partition }), CODE.LEADER_NOT_AVAILABLE);
        led.push({ topic, partition, leader });
      }
    }
    const byLeader = [...Map.groupBy(led, ({ leader }) => leader)];
    const answers = await Promise.all(
      byLeader.flatMap(([leader, of]) => [this.#offsetsOf(leader, of, EARLIEST), this.#offsetsOf(leader, of, LATEST)]),
    );
    const lows = new Map(answers.flatMap((answer, i) => (i % 2 === 0 ? [...answer] : [])));
    const highs = new Map(answers.flatMap((answer, i) => (i % 2 === 1 ? [...answer] : [])));
    const ends = led.flatMap(({ topic, partition }) => {
      const [low, high] = [lows.get(keyOf({ topic, partition })), highs.get(keyOf({ topic, partition }))];
      // The topic was deleted between the two requests.
      return low === undefined || high === undefined ? [] : [{ topic, partition, low, high }];
    });
    return new Map(
      [...Map.groupBy(ends, ({ topic }) => topic)].map(([topic, of]) => {
        return [topic, of.map(({ partition, low, high }) => ({ partition, low, high }))] as const;
      }),
    );
  }

  /** @returns partition → offset, without partitions that were deleted since */
  async #offsetsOf(leader: number, of: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    const wire = wireRequest<ListOffsetsAnswer>('ListOffsets', {
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      topics: [...Map.groupBy(of, ({ topic }) => topic)].map(([topic, partitions]) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, timestamp })),
      })),
    });
    const { responses } = await this.#cluster.link(leader).shared().send(wire);
    const offsets = new Map<string, number>();
    for (const { topic, partitions } of responses) {
      for (const { partition, errorCode, offset } of partitions) {
        if (errorCode === CODE.UNKNOWN_TOPIC_OR_PARTITION) continue;
        if (errorCode !== CODE.NONE) throw failureOf(keyOf({ topic, partition }), errorCode);
        offsets.set(keyOf({ topic, partition }), Number(offset));
      }
    }
    return offsets;
  }
}

function failureOf(what: string, errorCode: number): KafkaPortError {
  const isRefusal = errorCode === CODE.TOPIC_AUTHORIZATION_FAILED || errorCode === CODE.INVALID_TOPIC;
  return new KafkaPortError(isRefusal ? 'DB_KAFKA_REFUSED' : 'DB_KAFKA_UNAVAILABLE', `${what}: ${codeName(errorCode)}`);
}
