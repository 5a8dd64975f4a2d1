/** One reader for all customers: what each of them is told, and that one's trouble is no other's. */
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import type { CommittedOffset } from '@databridge/kernel/kafka/records';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { platform } from '../harness/platform.ts';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, until, upstreamSend, withUpstreamAdmin } from './kafka-fixture.ts';
import { GroupRecorder, openReader } from './lane-reader-fixture.ts';

const admin = new KafkaAdmin(kafkaSettings());
afterAll(() => admin.disconnect());

async function topicWith(values: readonly string[] = [], partitions = 1): Promise<string> {
  const topic = freshName('lane');
  await createTopic(topic, partitions);
  if (values.length > 0) await upstreamSend(topic, values);
  return topic;
}

function at(topic: string, offset: number, metadata = '', partition = 0): CommittedOffset {
  return { topic, partition, offset, metadata };
}

test('a lane is read from its beginning, then from the committed offset, metadata byte for byte', async () => {
  const topic = await topicWith(['a', 'b', 'c']);
  const groupId = freshName('g');
  const first = await new GroupRecorder(openReader().reader, groupId, [topic]).start();
  await until('all is read', () => first.values.length === 3);
  expect(first.batches.at(-1)).toMatchObject({ topic, partition: 0, nextOffset: 3, highWatermark: 3 });
  await first.group.commit(first.membership, [at(topic, 2, 'AQID-_ü')]);
  expect(await admin.committedOffsets(groupId)).toEqual([at(topic, 2, 'AQID-_ü')]);
  await first.group.stop();
  expect(first.lost).toEqual([first.membership]);
  await expect(first.group.commit(first.membership, [at(topic, 3)])).rejects.toMatchObject({
    code: 'DB_KAFKA_MEMBERSHIP_LOST',
  });

  const second = await new GroupRecorder(openReader().reader, groupId, [topic]).start();
  await until('the rest is read', () => second.values.length === 1);
  expect(second.committed).toEqual([at(topic, 2, 'AQID-_ü')]);
  expect(second.values).toEqual(['c']);
});

test('records come with headers, keys and times, compressed or not, and transaction markers move the position', async () => {
  const topic = await topicWith([]);
  const producer = upstreamKafka(platform().brokers).producer({
    transactionalId: freshName('tx'),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  for (const fate of ['commit', 'abort'] as const) {
    const transaction = await producer.transaction();
    const messages = [{ key: 'k', value: fate, headers: { h: ['1', '2'] }, partition: 0 }];
    await transaction.send({ topic, messages, compression: 1 });
    await transaction[fate]();
  }
  await producer.disconnect();
  await upstreamSend(topic, ['after']);
  const reader = await new GroupRecorder(openReader().reader, freshName('g'), [topic]).start();
  await until('the last is read', () => reader.values.includes('after'));
  expect(reader.values).toEqual(['commit', 'after']);
  const records = reader.batches.flatMap((batch) => batch.records);
  expect(records[0]).toMatchObject({
    offset: 0,
    key: Buffer.from('k'),
    headers: { h: [Buffer.from('1'), Buffer.from('2')] },
  });
  expect(records[0]?.timestampMs).toBeGreaterThan(0);
  expect(records[1]?.offset).toBe(4);
  expect(reader.batches.at(-1)?.nextOffset).toBe(5);
});

test('a paused lane rests while the others go on; resumed, it is read', async () => {
  const { reader } = openReader();
  const [slow, fast] = [await topicWith(['a']), await topicWith(['a'])];
  const resting = await new GroupRecorder(reader, freshName('g'), [slow]).start();
  const going = await new GroupRecorder(reader, freshName('g'), [fast]).start();
  await until('both are read', () => resting.values.length === 1 && going.values.length === 1);
  resting.group.pause([{ topic: slow, partition: 0 }]);
  await upstreamSend(fast, ['before']);
  await until('the fetch under way has ended', () => going.values.includes('before'));
  await upstreamSend(slow, ['rests']);
  for (const round of ['1', '2', '3']) {
    await upstreamSend(fast, [round]);
    await until('the other goes on', () => going.values.includes(round));
  }
  expect(resting.values).toEqual(['a']);
  resting.group.resume([{ topic: slow, partition: 0 }]);
  await until('it is read', () => resting.values.includes('rests'));
});

test('large records and small ones: a batch that is larger than a lane may have of one answer comes all the same', async () => {
  const { reader } = openReader();
  const producer = new KafkaProducer(kafkaSettings());
  await producer.connect();
  const large = Buffer.alloc(900_000, 'x').toString();
  const topics = await Promise.all([topicWith(), topicWith(), topicWith()]);
  for (const topic of topics) {
    for (let i = 0; i < 3; i++) await producer.send([{ topic, key: null, value: large }]);
    await producer.send([{ topic, key: null, value: 'small' }]);
  }
  await producer.disconnect();
  const groups = await Promise.all(topics.map((topic) => new GroupRecorder(reader, freshName('g'), [topic]).start()));
  await until('all is read', () => groups.every(({ values }) => values.length === 4));
  for (const { values } of groups) expect(values.map(({ length }) => length)).toEqual([900_000, 900_000, 900_000, 5]);
});

test('an offset out of range starts over at the oldest record, loudly', async () => {
  const topic = await topicWith(['a', 'b', 'c', 'd']);
  const groupId = freshName('g');
  await admin.setOffsets(groupId, [at(topic, 1)]);
  await withUpstreamAdmin(async (upstream) => {
    await upstream.fetchTopicOffsets(topic); // kafkajs needs its metadata
    await upstream.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] });
  });
  const settings = kafkaSettings();
  const errors: unknown[] = [];
  jest.spyOn(settings.log, 'error').mockImplementation((fields: unknown) => void errors.push(fields));
  const { reader } = openReader({}, settings);
  const recorder = await new GroupRecorder(reader, groupId, [topic]).start();
  await until('it is read', () => recorder.values.length > 0);
  expect(recorder.values).toEqual(['d']);
  expect(recorder.jumps).toEqual([{ topic, partition: 0, to: 3 }]);
  expect(errors).toContainEqual({ event: 'offset_out_of_range', groupId, topic, partition: 0 });
  const counted = await settings.registry.getSingleMetric('databridge_kafka_offset_jumps_total')?.get();
  expect(counted?.values).toEqual([expect.objectContaining({ value: 1 })]);
});

test('a topic that is deleted under a running customer stalls no other customer; created again, it is read from its beginning', async () => {
  const { reader } = openReader();
  const [doomed, other] = [await topicWith(['a', 'b', 'c']), await topicWith(['a'])];
  const losing = await new GroupRecorder(reader, freshName('g'), [doomed]).start();
  const going = await new GroupRecorder(reader, freshName('g'), [other]).start();
  await until('both are read', () => losing.values.length === 3 && going.values.length === 1);
  await losing.group.commit(losing.membership, [at(doomed, 2)]);
  await admin.deleteTopics([doomed]);
  for (const round of ['1', '2', '3']) {
    await upstreamSend(other, [round]);
    await until('the other goes on', () => going.values.includes(round));
  }
  // What is committed for it now goes nowhere; the membership stays.
  await losing.group.commit(losing.membership, [at(doomed, 3)]);
  await createTopic(doomed);
  await upstreamSend(doomed, ['anew', 'b2', 'c2', 'd2']);
  await until('it is read again', () => losing.values.includes('d2'));
  expect(losing.values).toEqual(['a', 'b', 'c', 'anew', 'b2', 'c2', 'd2']);
  expect(losing.jumps).toEqual([{ topic: doomed, partition: 0, to: 0 }]);
  expect(losing.lost).toEqual([]);
  expect(going.lost).toEqual([]);
});

test('a topic that does not exist yet holds up nothing, and is read once it is there; it is never created', async () => {
  const { reader } = openReader();
  const [there, later] = [await topicWith(['a']), freshName('later')];
  const recorder = await new GroupRecorder(reader, freshName('g'), [there, later]).start();
  await until('the first is read', () => recorder.values.includes('a'));
  expect(await admin.listTopics()).not.toContain(later);
  await createTopic(later);
  await upstreamSend(later, ['b']);
  await until('the second is read', () => recorder.values.includes('b'));
  expect(recorder.joined).toHaveLength(2);
  expect(recorder.joined[1]?.continues).toBe(recorder.joined[0]);
  expect(recorder.membership.assignment).toContainEqual(expect.objectContaining({ topic: later, partition: 0 }));
  await recorder.group.commit(recorder.membership, [at(later, 1), at(there, 1)]);
});

test('a retry topic that the previous member created is read soon after its place is taken', async () => {
  const { reader } = openReader();
  const [main, retry, never] = [await topicWith(['a']), await topicWith(['r']), freshName('never')];
  const recorder = await new GroupRecorder(reader, freshName('g'), [main], { laterTopics: [retry, never] }).start();
  await until('the retry is read', () => recorder.values.includes('r'));
  expect(recorder.values).toEqual(['a', 'r']);
  expect(recorder.joined[1]?.continues).toBe(recorder.joined[0]);
  expect(recorder.joined).toHaveLength(2);
});

test('a topic that is added while the group runs is read, and partitions that are added are', async () => {
  const { reader } = openReader({ metadataMaxAgeMs: 200 });
  const [main, retry] = [await topicWith(['a']), await topicWith(['r'])];
  const recorder = await new GroupRecorder(reader, freshName('g'), [main]).start();
  await until('the first is read', () => recorder.values.includes('a'));
  recorder.group.addTopics([retry]);
  await until('the added one is read', () => recorder.values.includes('r'));
  await withUpstreamAdmin((upstream) => upstream.createPartitions({ topicPartitions: [{ topic: main, count: 2 }] }));
  await eventuallySend(main, 'in the second', 1);
  await until('the new partition is read', () => recorder.values.includes('in the second'));
  expect(recorder.values.filter((value) => value === 'a')).toHaveLength(1);
});

/** The broker knows a new partition a moment after the controller does. */
async function eventuallySend(topic: string, value: string, partition: number): Promise<void> {
  await until('it is written', () =>
    upstreamSend(topic, [value], partition).then(
      () => true,
      () => false,
    ),
  );
}

test('200 groups of one reader each read their own lane, and commit it', async () => {
  const { reader } = openReader();
  const topics = Array.from({ length: 200 }, () => freshName('many'));
  await admin.ensureTopics(topics.map((topic) => ({ topic, partitions: 1, config: {} })));
  const groups = await Promise.all(topics.map((topic) => new GroupRecorder(reader, topic, [topic]).start()));
  const producer = new KafkaProducer(kafkaSettings());
  await producer.connect();
  for (let round = 0; round < 3; round++) {
    await producer.send(topics.map((topic) => ({ topic, key: null, value: `${topic} ${round}` })));
  }
  await producer.disconnect();
  await until('all is read', () => groups.every(({ values }) => new Set(values).size === 3));
  // Right after a topic's creation, a producer may have to write again.
  for (const { values, topics: own } of groups) {
    expect([...new Set(values)].toSorted()).toEqual([0, 1, 2].map((round) => `${own[0]} ${round}`));
  }
  await Promise.all(
    groups.map(({ group, membership, topics: [topic = ''] }) => group.commit(membership, [at(topic, 3)])),
  );
  expect(await admin.committedOffsets(topics[7] ?? '')).toEqual([at(topics[7] ?? '', 3)]);
});
