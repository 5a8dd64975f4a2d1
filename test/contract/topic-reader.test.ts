import { randomUUID } from 'node:crypto';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { createKafka } from '@databridge/kernel/kafka/kafkajs/client';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { TopicFollower } from '@databridge/kernel/kafka/tables/topic-follower';
import { type ReadOptions, readTopics } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { eventually } from '../harness/eventually.ts';
import { platform } from '../harness/platform.ts';

const settings = {
  brokers: platform().brokers,
  clientId: 'topic-reader-test',
  log: createLogger('topic-reader-test', 'silent'),
};
const admin = new KafkaAdmin(settings);
const producer = new KafkaProducer(settings);

beforeAll(() => Promise.all([admin.connect(), producer.connect()]));
afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]));

async function newTopic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
  const topic = `reader.${randomUUID()}`;
  await admin.ensureTopics([{ topic, partitions, config: { 'message.timestamp.type': 'LogAppendTime', ...config } }]);
  return topic;
}

const write = (topic: string, values: readonly string[]) =>
  producer.send(values.map((value) => ({ topic, key: value, value })));

interface Read {
  readonly value: string;
  readonly timestampMs: number;
}

async function readAll(topics: readonly string[], options: Omit<ReadOptions, 'onBatch'> = {}): Promise<Read[]> {
  const found: Read[] = [];
  await readTopics(settings, topics, {
    ...options,
    onBatch: ({ records }) =>
      void found.push(...records.map(({ value, timestampMs }) => ({ value: String(value), timestampMs }))),
  });
  return found;
}
async function groupIds(): Promise<string[]> {
  const kafkaAdmin = createKafka(settings, 'groups').admin();
  await kafkaAdmin.connect();
  const { groups } = await kafkaAdmin.listGroups();
  await kafkaAdmin.disconnect();
  return groups.map(({ groupId }) => groupId);
}

const valuesOf = (found: readonly Read[]) => found.map(({ value }) => value).sort();

describe('reading topics to their end', () => {
  test('every record of every topic and partition, once; empty ones too', async () => {
    const [first, second, empty] = [await newTopic(3), await newTopic(), await newTopic()];
    const values = Array.from({ length: 200 }, (_, index) => `v${String(index).padStart(3, '0')}`);
    await write(first, values);
    await write(second, ['w']);
    const places: string[] = [];
    const found = new Set<string>();
    await readTopics(settings, [first, second, empty], {
      onBatch({ topic, partition, records }) {
        places.push(...records.map(({ offset }) => `${topic}/${partition}/${offset}`));
        for (const { value } of records) found.add(String(value));
      },
    });
    // By place, not by value: the producer may have stored a record twice.
    expect(new Set(places).size).toBe(places.length);
    expect([...found].sort()).toEqual([...values, 'w']);
    expect(await readAll([empty])).toEqual([]);
  });

  test('only what was appended in a range of time', async () => {
    const topic = await newTopic();
    for (const value of ['a', 'b', 'c']) await write(topic, [value]);
    const all = await readAll([topic]);
    const [, b, c] = all.map(({ timestampMs }) => timestampMs);
    if (b === undefined || c === undefined) throw new Error('three records were written');
    const within = (fromMs: number, toMs: number) =>
      all.filter(({ timestampMs }) => timestampMs >= fromMs && timestampMs < toMs);
    expect(await readAll([topic], { fromMs: b, toMs: c })).toEqual(within(b, c));
    expect(await readAll([topic], { fromMs: c })).toEqual(within(c, Number.POSITIVE_INFINITY));
    expect(await readAll([topic], { fromMs: c + 60_000 })).toEqual([]);
  });

  test('only a range of offsets', async () => {
    const topic = await newTopic();
    await write(topic, ['a', 'b', 'c', 'd']);
    expect(valuesOf(await readAll([topic], { within: () => ({ from: 1, to: 3 }) }))).toEqual(['b', 'c']);
    expect(valuesOf(await readAll([topic], { within: () => ({ from: 3 }) }))).toEqual(['d']);
  });

  test('what its handler throws ends it, as it was thrown', async () => {
    const topic = await newTopic();
    await write(topic, ['a']);
    const own = new Error('no room');
    await expect(readTopics(settings, [topic], { onBatch: () => Promise.reject(own) })).rejects.toBe(own);
  });

  test('a transaction’s marker at the end does not make it wait', async () => {
    const topic = await newTopic();
    const transactional = createKafka(settings, 'transactional').producer({
      transactionalId: randomUUID(),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await transactional.connect();
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ value: 'a' }] });
    await transaction.commit();
    await transactional.disconnect();
    // The broker answers a commit before it writes the marker; until then the log ends before the transaction.
    const values = await eventually(
      async () => valuesOf(await readAll([topic])),
      ({ length }) => length > 0,
    );
    expect(values).toEqual(['a']);
  });

  test('a topic that is not there is an error, not emptiness', async () => {
    await expect(readAll([`reader.${randomUUID()}`])).rejects.toMatchObject({ code: 'DB_KAFKA_UNKNOWN_TOPIC' });
  });

  test('leaves no group behind', async () => {
    const topic = await newTopic();
    await write(topic, ['a']);
    // A service that another test killed while it read has left its own.
    const before = new Set(await groupIds());
    await readAll([topic]);
    const left = (await groupIds()).filter((id) => id.startsWith('databridge.reader.') && !before.has(id));
    expect(left).toEqual([]);
  });
});

test('a follower gets each record that comes from now on, once, and leaves no group behind', async () => {
  const topic = await newTopic(2);
  await write(topic, ['before']);
  const found: string[] = [];
  const follower = new TopicFollower(settings, {
    topic,
    onBatch: ({ records }) => void found.push(...records.map(({ value }) => String(value))),
  });
  await follower.start();
  const values = Array.from({ length: 50 }, (_, index) => `v${String(index).padStart(2, '0')}`);
  for (const value of values) await write(topic, [value]);
  await eventually(
    async () => found.length,
    (length) => length >= 50,
  );
  await follower.stop();
  expect(found.sort()).toEqual(values);
  expect((await groupIds()).filter((id) => id.includes(topic))).toEqual([]);
});
