import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import type { ConsumedBatch, ProducedRecord } from '@databridge/kernel/kafka/records';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { Kafka } from 'kafkajs';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, Recorder, until } from './kafka-fixture.ts';

const producers: KafkaProducer[] = [];
const admin = new KafkaAdmin(kafkaSettings());

async function startProducer(options: ConstructorParameters<typeof KafkaProducer>[1] = {}): Promise<KafkaProducer> {
  const producer = new KafkaProducer(kafkaSettings(), options);
  producers.push(producer);
  await producer.connect();
  return producer;
}

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()));
});
afterAll(() => admin.disconnect());

async function stored(topic: string): Promise<number> {
  return (await admin.watermarks(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
}

/** Each once, however often it is stored. */
async function storedKeys(topics: readonly string[]): Promise<string[]> {
  const keys = new Set<string>();
  const onBatch = ({ records }: ConsumedBatch) => {
    for (const { key } of records) if (key !== null) keys.add(String(key));
  };
  await readTopics(kafkaSettings(), topics, { onBatch });
  return [...keys];
}

/** What goes to the broker, batch by batch, as the client library is asked. */
function spyOnRequests() {
  const original = Kafka.prototype.producer;
  const requests: string[][] = [];
  jest.spyOn(Kafka.prototype, 'producer').mockImplementation(function (this: Kafka, config) {
    const producer = original.call(this, config);
    const sendBatch = producer.sendBatch.bind(producer);
    producer.sendBatch = (batch) => {
      requests.push((batch.topicMessages ?? []).map(({ topic, messages }) => `${topic}×${messages.length}`));
      return sendBatch(batch);
    };
    return producer;
  });
  return requests;
}

test('keys go where the Java client puts them, and headers arrive', async () => {
  const topic = freshName('keys');
  await createTopic(topic, 5);
  const producer = await startProducer();
  // Partitions of 5 by the vectors of Kafka's own test: (murmur2 & 0x7fffffff) % 5.
  await producer.send([
    { topic, key: 'foobar', value: 'x', headers: { one: 'a', many: ['b', 'c'] } },
    { topic, key: Buffer.from('21'), value: null },
    { topic, key: null, value: 'anywhere' },
    { topic, key: 'foobar', partition: 4, value: 'told' },
    { topic, key: 'one of many', placedBy: 'foobar', value: 'beside it' },
  ]);
  const reader = new Recorder({ groupId: freshName('g'), topics: [topic] });
  await reader.consumer.start();
  // Any of them may be stored twice.
  await until('all is read', () => new Set(reader.records.map(({ key, value }) => `${key} ${value}`)).size === 5);
  const partitionOf = (key: string) =>
    reader.received
      .filter(({ batch }) => batch.records.some((r) => String(r.key) === key))
      .map(({ batch }) => batch.partition);
  expect(new Set(partitionOf('foobar'))).toEqual(new Set([(-790332482 & 0x7fffffff) % 5, 4]));
  expect(new Set(partitionOf('one of many'))).toEqual(new Set([(-790332482 & 0x7fffffff) % 5]));
  expect(new Set(partitionOf('21'))).toEqual(new Set([(-973932308 & 0x7fffffff) % 5]));
  const record = reader.records.find(({ value }) => String(value) === 'x');
  expect(record?.headers['one']?.toString()).toBe('a');
  expect(record?.headers['many']?.toString()).toBe('b,c');
  expect(reader.records.find(({ key }) => String(key) === '21')?.value).toBeNull();
});

test('records of many callers go out in few requests, and each caller learns its own result', async () => {
  const topics = [freshName('many'), freshName('many')];
  for (const topic of topics) await createTopic(topic);
  const requests = spyOnRequests();
  const producer = await startProducer();
  await Promise.all(topics.map((topic) => producer.send([{ topic, key: null, value: 'first' }])));
  await Promise.all(
    Array.from({ length: 500 }, (_, n) => producer.send([{ topic: topics[n % 2] as string, key: `${n}`, value: 'x' }])),
  );
  expect(requests.length).toBeLessThan(10);
  const keys = Array.from({ length: 500 }, (_, n) => `${n}`);
  // By key: of a request that fails in part, what was stored is sent again.
  expect((await storedKeys(topics)).sort()).toEqual(keys.sort());
});

test('the sender of one record learns where it is stored, whatever went out in the same request', async () => {
  const topic = freshName('placed');
  await createTopic(topic, 2);
  const producer = await startProducer();
  const named = (key: string, partition: number) => ({ topic, key, partition, value: key });
  const [, first, second, other] = await Promise.all([
    producer.send([named('a', 1), named('b', 0)]),
    ...[named('c', 1), named('d', 1), named('e', 0)].map((record) => producer.sendOne(record)),
  ]);
  const found = new Map<string, unknown>();
  await readTopics(kafkaSettings(), [topic], {
    onBatch({ partition, records }) {
      for (const { key, offset } of records) found.set(String(key), { topic, partition, offset });
    },
  });
  expect([first, second, other]).toEqual(['c', 'd', 'e'].map((key) => found.get(key)));
});

test('a record batch stays under its limit: what exceeds it goes out next', async () => {
  const topic = freshName('split');
  await createTopic(topic, 1, { 'max.message.bytes': '10000' });
  const producer = await startProducer({ maxBatchBytes: 10_000 });
  await producer.send(Array.from({ length: 100 }, (_, n) => ({ topic, key: `${n}`, value: Buffer.alloc(900) })));
  expect(await stored(topic)).toBe(100);
});

test('a record too large for any batch is refused permanently; its neighbors are stored', async () => {
  const topic = freshName('large');
  await createTopic(topic);
  const producer = await startProducer({ maxBatchBytes: 10_000 });
  const small: ProducedRecord = { topic, key: null, value: 'small' };
  const sent = producer.send([small, { topic, key: null, value: Buffer.alloc(20_000) }, small]);
  await expect(sent).rejects.toMatchObject({ code: 'DB_KAFKA_RECORD_TOO_LARGE', retryable: false, failedIndexes: [1] });
  expect(await stored(topic)).toBe(2);
});

test("a topic that takes less than we think: the broker's refusal is narrowed down to the records at fault", async () => {
  const [tight, roomy] = [freshName('tight'), freshName('roomy')];
  await createTopic(tight, 1, { 'max.message.bytes': '5000' });
  await createTopic(roomy);
  const producer = await startProducer();
  const bystander = producer.send([{ topic: roomy, key: null, value: 'x' }]);
  const records = Array.from({ length: 20 }, (_, n) => ({
    topic: tight,
    key: null,
    value: Buffer.alloc(n === 7 ? 9_000 : 900),
  }));
  await expect(producer.send(records)).rejects.toMatchObject({ code: 'DB_KAFKA_RECORD_TOO_LARGE', failedIndexes: [7] });
  await bystander;
  expect(await stored(tight)).toBe(19);
});

test('a missing topic fails only those who write to it, and is not created', async () => {
  const [there, missing] = [freshName('there'), freshName('missing')];
  await createTopic(there);
  const producer = await startProducer();
  const lost = producer.send([
    { topic: there, key: null, value: 'x' },
    { topic: missing, key: null, value: 'x' },
  ]);
  await producer.send([{ topic: there, key: null, value: 'x' }]);
  await expect(lost).rejects.toMatchObject({ code: 'DB_KAFKA_UNKNOWN_TOPIC', retryable: true, failedIndexes: [1] });
  expect(await stored(there)).toBe(2);
  expect(await admin.listTopics()).not.toContain(missing);
});

test('a topic that is deleted while it is written to poisons nobody', async () => {
  const [there, doomed] = [freshName('there'), freshName('doomed')];
  await createTopic(there);
  await createTopic(doomed);
  const producer = await startProducer();
  await producer.send([
    { topic: there, key: null, value: '1' },
    { topic: doomed, key: null, value: '1' },
  ]);
  await admin.deleteTopics([doomed]);
  const late = producer.send([{ topic: doomed, key: null, value: '2' }]);
  const bystanders = Array.from({ length: 3 }, () => producer.send([{ topic: there, key: null, value: '2' }]));
  await expect(late).rejects.toMatchObject({ code: 'DB_KAFKA_UNKNOWN_TOPIC' });
  await Promise.all(bystanders);
  // One that comes later needs fresh metadata, in which kafkajs would ask for the deleted topic as well.
  const later = freshName('later');
  await createTopic(later);
  await producer.send([{ topic: later, key: null, value: '3' }]);
  // What was stored beside the refused one is sent again: repeated, never lost.
  expect(await stored(there)).toBeGreaterThanOrEqual(4);
});

test('a topic created in time is written to', async () => {
  const topic = freshName('soon');
  const producer = await startProducer();
  // In time, however long it takes here: the producer's patience does not wear out.
  jest.spyOn(performance, 'now').mockReturnValue(performance.now());
  const sent = producer.send([{ topic, key: null, value: 'x' }]);
  await createTopic(topic);
  await sent;
  expect(await stored(topic)).toBe(1);
});

test('a partition that is missing in the answer is not taken for stored', async () => {
  const topic = freshName('gap');
  await createTopic(topic);
  const producer = await startProducer({ deliveryTimeoutMs: 3_000 });
  // Connections and metadata are there: within its time the first record gets through.
  await producer.send([{ topic, key: null, value: 'first' }]);
  // kafkajs leaves out what it finds no leader for, and resolves.
  const sent = producer.send([
    { topic, key: null, value: 'x' },
    { topic, partition: 3, key: null, value: 'lost' },
  ]);
  await expect(sent).rejects.toMatchObject({ code: 'DB_KAFKA_NOT_ACKNOWLEDGED', retryable: true, failedIndexes: [1] });
});

test('a partition that is missing in one answer only is sent again', async () => {
  const topic = freshName('gap');
  await createTopic(topic, 2);
  const original = Kafka.prototype.producer;
  let answers = 0;
  jest.spyOn(Kafka.prototype, 'producer').mockImplementation(function (this: Kafka, config) {
    const producer = original.call(this, config);
    const sendBatch = producer.sendBatch.bind(producer);
    producer.sendBatch = async ({ topicMessages = [], ...rest }) => {
      answers++;
      if (answers > 1) return sendBatch({ topicMessages, ...rest });
      const kept = topicMessages.map((t) => ({
        ...t,
        messages: t.messages.filter(({ partition }) => partition === 0),
      }));
      return sendBatch({ topicMessages: kept, ...rest });
    };
    return producer;
  });
  const producer = await startProducer();
  await producer.send([0, 1].map((partition) => ({ topic, partition, key: null, value: 'x' })));
  const high = (await admin.watermarks(topic)).map((p) => p.high);
  expect(high).toEqual([1, 1]);
  expect(answers).toBe(2);
});

test('disconnect waits for what was handed over; then nothing is taken any more', async () => {
  const topic = freshName('closing');
  await createTopic(topic);
  const producer = new KafkaProducer(kafkaSettings());
  await producer.connect();
  const sent = Promise.all(Array.from({ length: 50 }, () => producer.send([{ topic, key: null, value: 'x' }])));
  await producer.disconnect();
  await sent;
  expect(await stored(topic)).toBe(50);
  await expect(producer.send([{ topic, key: null, value: 'x' }])).rejects.toMatchObject({ code: 'DB_KAFKA_CLOSED' });
});

test('no broker: the error can be retried', async () => {
  const producer = new KafkaProducer({ ...kafkaSettings(), brokers: ['127.0.0.1:1'] });
  await expect(producer.connect()).rejects.toMatchObject({ code: 'DB_KAFKA_UNAVAILABLE', retryable: true });
  await producer.disconnect();
});
