/** What a request costs does not grow with the square of the topics that kafkajs knows. */
import { createRequire } from 'node:module';
import { installTopicIndexPatch } from './topic-index-patch.ts';

const require = createRequire(import.meta.url);
const BrokerPool = require('kafkajs/src/cluster/brokerPool');
const Cluster = require('kafkajs/src/cluster');

installTopicIndexPatch();

/** The topics that a broker answered, which count how often their names are read. */
function known(names: readonly string[]) {
  const reads = { count: 0 };
  const topicMetadata = names.map((name, at) => ({
    get topic() {
      reads.count++;
      return name;
    },
    partitionMetadata: [{ partitionId: 0, leader: at }],
  }));
  return { topicMetadata, reads };
}

function open(topicMetadata: object[] | undefined, expiresAtMs = Number.POSITIVE_INFINITY) {
  const asked: (readonly string[])[] = [];
  const pool = Object.assign(Object.create(BrokerPool.prototype), {
    metadata: topicMetadata === undefined ? null : { topicMetadata },
    metadataExpireAt: topicMetadata === undefined ? null : expiresAtMs,
    refreshMetadata: async (topics: readonly string[]) => void asked.push(topics),
  });
  const cluster = Object.assign(Object.create(Cluster.prototype), { brokerPool: pool });
  return { pool, cluster, asked };
}

const NAMES = Array.from({ length: 1_000 }, (_, n) => `topic-${n}`);

test('many requests read the name of each known topic once', async () => {
  const { topicMetadata, reads } = known(NAMES);
  const { pool, cluster, asked } = open(topicMetadata);
  for (let request = 0; request < 3; request++) {
    await pool.refreshMetadataIfNecessary(NAMES);
    for (const name of NAMES) cluster.findTopicPartitionMetadata(name);
  }
  expect(reads.count).toBe(NAMES.length);
  expect(asked).toEqual([]);
});

test('the partitions of a topic are found; an unknown topic has none', () => {
  const { cluster } = open(known(NAMES).topicMetadata);
  expect(cluster.findTopicPartitionMetadata('topic-7')).toEqual([{ partitionId: 0, leader: 7 }]);
  expect(cluster.findTopicPartitionMetadata('other')).toEqual([]);
});

test.each([
  ['nothing is known', undefined, undefined],
  ['what is known is too old', NAMES, 0],
  ['a topic is not known', ['topic-0'], undefined],
])('the brokers are asked if %s', async (_when, names, expiresAtMs) => {
  const { pool, asked } = open(names && known(names).topicMetadata, expiresAtMs);
  await pool.refreshMetadataIfNecessary(['topic-0', 'topic-1']);
  expect(asked).toEqual([['topic-0', 'topic-1']]);
});

test('without any answer of a broker, the error is that of kafkajs', () => {
  expect(() => open(undefined).cluster.findTopicPartitionMetadata('topic-0')).toThrow('Topic metadata not loaded');
});

test('another release of kafkajs is not patched blindly', () => {
  class Changed {
    refreshMetadataIfNecessary() {
      return 'mended';
    }
  }
  expect(() => installTopicIndexPatch(Changed, Cluster)).toThrow(
    expect.objectContaining({ code: 'DB_KAFKA_CLIENT_CHANGED' }),
  );
});
