import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { eventually } from '../harness/eventually.ts';
import { together } from '../harness/jest/together.ts';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, Recorder, upstreamSend, withUpstreamAdmin } from './kafka-fixture.ts';

const admin = new KafkaAdmin(kafkaSettings());
afterAll(() => admin.disconnect());

test('creates what is missing, and reports where what exists differs', async () => {
  const [a, b] = [freshName('a'), freshName('b')];
  const config = { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '1000000' };
  expect(await admin.ensureTopics([{ topic: a, partitions: 2, config }])).toEqual({ created: [a], mismatched: [] });
  const again = await admin.ensureTopics([
    { topic: a, partitions: 3, config: { ...config, 'retention.ms': '-1' } },
    { topic: b, partitions: 1, config },
  ]);
  expect(again).toEqual({
    created: [b],
    mismatched: [
      { topic: a, setting: 'partitions', wanted: '3', found: '2' },
      { topic: a, setting: 'retention.ms', wanted: '-1', found: '1000000' },
    ],
  });
  // It can be written to at once.
  await upstreamSend(b, ['x']);
});

test('two that create the same topics at once both succeed', async () => {
  const specs = Array.from({ length: 10 }, () => ({ topic: freshName('race'), partitions: 1, config: {} }));
  const other = new KafkaAdmin(kafkaSettings());
  const results = await Promise.all([admin.ensureTopics(specs), other.ensureTopics(specs)]);
  await other.disconnect();
  expect(results.flatMap(({ created }) => created).sort()).toEqual(specs.map(({ topic }) => topic).sort());
});

test('a setting that the broker refuses is an error that no retry mends', async () => {
  const bad = { topic: freshName('bad'), partitions: 1, config: { 'cleanup.policy': 'nonsense' } };
  await expect(admin.ensureTopics([bad])).rejects.toMatchObject({ code: 'DB_KAFKA_REFUSED', retryable: false });
});

test.each([
  ['closes', (socket: Socket) => socket.emit('end')],
  ['resets', (socket: Socket) => socket.destroy(new Error('read ECONNRESET'))],
])('a connection that the broker %s before it has answered fails nothing', async (_how, close) => {
  const topic = freshName('closed');
  await createTopic(topic);
  const sockets: Socket[] = [];
  const onSocket = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', onSocket);
  const asking = new KafkaAdmin(kafkaSettings());
  try {
    await asking.watermarks(topic);
    let closed = 0;
    for (const socket of sockets) {
      const { write } = socket;
      socket.write = (...args: unknown[]) => {
        socket.write = write;
        closed++;
        setImmediate(() => close(socket));
        return Reflect.apply(write, socket, args);
      };
    }
    expect(await asking.watermarks(topic)).toEqual([{ partition: 0, low: 0, high: 0 }]);
    expect(closed).toBeGreaterThan(0);
    await asking.deleteTopics([topic]);
    expect(await asking.listTopics()).not.toContain(topic);
  } finally {
    unsubscribe('net.client.socket', onSocket);
    await asking.disconnect();
    // The client takes the pretended end for a real one, and leaves the socket as it is.
    for (const socket of sockets) socket.destroy();
  }
});

together({
  'a question that fails takes none with it that were asked beside it': async () => {
    const topic = freshName('asked');
    await createTopic(topic);
    const asking = new KafkaAdmin(kafkaSettings());
    await asking.watermarks(topic);
    for (let round = 0; round < 10; round++) {
      const beside = Array.from({ length: 10 }, () => asking.watermarks(topic));
      await expect(asking.committedOffsets('')).rejects.toMatchObject({ message: expect.stringMatching(/groupId/) });
      await Promise.all(beside);
    }
    await asking.disconnect();
  },

  'a deleted topic is gone, and in the way of nothing': async () => {
    const topic = freshName('doomed');
    await createTopic(topic);
    await admin.watermarks(topic);
    const other = new KafkaAdmin(kafkaSettings());
    await other.watermarks(topic); // from now on its client asks for this topic with every request
    await admin.deleteTopics([topic, 'never-was']);
    expect(await admin.listTopics()).not.toContain(topic);
    const next = freshName('next');
    expect(await other.ensureTopics([{ topic: next, partitions: 1, config: {} }])).toMatchObject({ created: [next] });
    await expect(other.watermarks(topic)).rejects.toMatchObject({ code: 'DB_KAFKA_UNKNOWN_TOPIC' });
    await other.disconnect();
  },

  'sets the offsets of an empty group with their metadata, and refuses an active one': async () => {
    const [a, b] = [freshName('a'), freshName('b')];
    await createTopic(a, 2);
    await createTopic(b);
    const groupId = freshName('g');
    // One of them beyond the end: set as it is told, since nothing is read.
    const offsets = [
      { topic: a, partition: 0, offset: 4, metadata: 'AQ' },
      { topic: a, partition: 1, offset: 0, metadata: '' },
      { topic: b, partition: 0, offset: 9, metadata: 'ü' },
    ];
    expect(await admin.groupState(groupId)).toEqual({ state: 'Dead', members: [] });
    await admin.setOffsets(groupId, offsets);
    const found = await admin.committedOffsets(groupId);
    expect(found).toHaveLength(3);
    expect(found).toEqual(expect.arrayContaining(offsets));

    const member: Recorder = new Recorder({
      groupId,
      topics: [a, b],
      onJoined: (membership) => member.consumer.pause(membership.assignment),
    });
    await member.consumer.start();
    expect(await admin.groupState(groupId)).toMatchObject({ state: 'Stable', members: [{ clientId: 'contract' }] });
    const change = admin.setOffsets(groupId, [{ topic: a, partition: 0, offset: 0, metadata: '' }]);
    await expect(change).rejects.toMatchObject({ code: 'DB_KAFKA_GROUP_ACTIVE' });
    expect(await admin.committedOffsets(groupId)).toEqual(found);
  },

  'finds the offset of a time, and the end for a time to come': async () => {
    const topic = freshName('times');
    await createTopic(topic, 1, { 'message.timestamp.type': 'LogAppendTime' });
    await upstreamSend(topic, ['a', 'b']);
    const middleMs = Date.now() + 1;
    while (Date.now() <= middleMs); // the next append is later
    await upstreamSend(topic, ['c']);
    expect(await admin.offsetsAtTime(topic, 0)).toEqual([{ partition: 0, offset: 0 }]);
    expect(await admin.offsetsAtTime(topic, Date.parse('0020-02-29'))).toEqual([{ partition: 0, offset: 0 }]);
    expect(await admin.offsetsAtTime(topic, middleMs)).toEqual([{ partition: 0, offset: 2 }]);
    expect(await admin.offsetsAtTime(topic, Date.now() + 3_600_000)).toEqual([{ partition: 0, offset: 3 }]);
    await withUpstreamAdmin(async (upstream) => {
      await upstream.fetchTopicOffsets(topic);
      await upstream.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
    });
    expect(await admin.watermarks(topic)).toEqual([{ partition: 0, low: 1, high: 3 }]);
  },
});

test('changes one setting of a topic and leaves its others', async () => {
  const topic = freshName('kept');
  const config = { 'cleanup.policy': 'delete', 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '1000' };
  await admin.ensureTopics([{ topic, partitions: 1, config }]);
  expect(await admin.changeTopicSettings([topic], { 'retention.ms': '-1' })).toEqual([topic]);
  const kept = { ...config, 'retention.ms': '-1' };
  const settingsOf = async () => (await admin.topicSettings([topic])).get(topic);
  expect(await eventually(settingsOf, (found) => found?.['retention.ms'] === '-1')).toEqual(kept);
  expect(await admin.changeTopicSettings([topic], { 'retention.ms': '-1' })).toEqual([]);
});

test('deletes a group and its offsets; one that is not there is no error', async () => {
  const topic = freshName('t');
  await createTopic(topic);
  const groupId = freshName('g');
  await admin.setOffsets(groupId, [{ topic, partition: 0, offset: 0, metadata: '' }]);
  expect(await admin.committedOffsets(groupId)).toHaveLength(1);
  await admin.deleteGroup(groupId);
  expect(await admin.committedOffsets(groupId)).toEqual([]);
  await admin.deleteGroup(groupId);
});
