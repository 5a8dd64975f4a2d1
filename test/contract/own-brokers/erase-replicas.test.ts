/** An erased call is gone from every replica: compaction is each broker's own, and a follower may be the next leader. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eraseCall } from '@databridge/control-plane/erasure/erase';
import { untracked } from '@databridge/control-plane/operations/run';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { WatermarkReader } from '@databridge/kernel/kafka/watermark-reader';
import { createLogger } from '@databridge/kernel/log';
import { type JvmPlatform, startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { decodeErasure, ErasedEvents } from '@databridge/schemas/privacy/erasures';
import { writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf } from '@databridge/schemas/records/identity';
import { customerTopics, deliveryTopic, ERASED_TOPIC } from '@databridge/schemas/records/topics';
import kafkajs from 'kafkajs';
import { upstreamKafka } from '../../harness/kafka/upstream-kafka.ts';

const BROKERS = 3;
let dir: string;
let platform: JvmPlatform;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'databridge-replicas-'));
  platform = await startJvmPlatform({ ...readMachineConfig(process.env), dataDir: dir, brokerCount: BROKERS });
}, 180_000);
afterAll(async () => {
  await platform?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Brokers whose files of a topic contain a text; what a broker is about to delete is not among its files. */
function brokersWith(topic: string, text: string): number[] {
  return Array.from({ length: BROKERS }, (_, at) => at + 1).filter((nodeId) => {
    const folder = join(dir, nodeId === 1 ? 'kafka' : `kafka-${nodeId}`, 'data', `${topic}-0`);
    const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
    return logs.some((name) => readFileSync(join(folder, name)).includes(text));
  });
}

test('a broker whose cleaner is slow has removed the call as well when the receipt is there', async () => {
  const kafka = { brokers: platform.brokers, clientId: 'replicas', log: createLogger('test', 'silent') };
  const admin = new KafkaAdmin(kafka);
  const producer = new KafkaProducer(kafka);
  const ends = new WatermarkReader(kafka);
  await Promise.all([admin.connect(), producer.connect()]);
  const topic = deliveryTopic('acme');
  await admin.ensureTopics(customerTopics('acme').filter((one) => one.topic === topic));

  const requestId = crypto.randomUUID();
  const record = (id: string, text: string) => {
    const facts = { eventId: id, eventType: 'root-cause', source: `in/0/${id.length}`, attempt: 0 };
    return { topic, key: copyKeyOf(facts), value: `transcript ${text}`, headers: writeDeliveryHeaders(facts) };
  };
  await producer.send([record('a', 'of another call'), record('gone', requestId)]);
  const plain = upstreamKafka(platform.brokers).admin();
  await plain.connect();
  const [found] = (await plain.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions ?? [];
  const slow = [1, 2, 3].find((nodeId) => nodeId !== found?.leader) ?? 0;
  await plain.alterConfigs({
    validateOnly: false,
    resources: [
      {
        ...{ type: kafkajs.ConfigResourceTypes.BROKER, name: String(slow) },
        configEntries: [{ name: 'log.cleaner.backoff.ms', value: '12000' }],
      },
    ],
  });
  await plain.disconnect();
  expect(brokersWith(topic, requestId)).toEqual([1, 2, 3]);

  const events = new ErasedEvents();
  const receipt = await eraseCall(
    {
      ...{ kafka, admin, producer },
      watermarks: (topics) => ends.of(topics),
      intakeTopics: new Map(),
      events: { render: async () => ({ unreadable: 'no Avro' }) },
      erasures: { events, refreshed: async () => undefined },
      commit: async (changes) => {
        for (const { topic: to, key, value } of changes.flatMap((one) => ('records' in one ? one.records : []))) {
          if (to === ERASED_TOPIC) events.set(String(key), decodeErasure(Buffer.from(String(value)))?.events);
        }
      },
    },
    { requestId },
    untracked,
    { settledAfterMs: 0, compactedWithinMs: 30_000, giveUpAfterMs: 60_000 },
  );
  expect(receipt).toMatchObject({ events: 1, removed: 1, remainders: [] });
  expect(brokersWith(topic, requestId)).toEqual([]);
  expect(brokersWith(topic, 'of another call')).toEqual([1, 2, 3]);
  ends.disconnect();
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}, 180_000);
