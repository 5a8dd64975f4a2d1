/** A customer's group has one member, the worker that runs it; whoever takes its place shuts it out. */
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, Recorder, until, upstreamSend } from './kafka-fixture.ts';
import { GroupRecorder, openReader, TestLease } from './lane-reader-fixture.ts';

const admin = new KafkaAdmin(kafkaSettings());
afterAll(() => admin.disconnect());

async function topicWith(values: readonly string[]): Promise<string> {
  const topic = freshName('lane');
  await createTopic(topic);
  await upstreamSend(topic, values);
  return topic;
}

const at = (topic: string, offset: number, metadata = '') => ({ topic, partition: 0, offset, metadata });

test('the place of a worker that is gone is taken at once; from then on its commits are refused', async () => {
  const topic = await topicWith(['a', 'b']);
  const groupId = freshName('g');
  const lease = new TestLease();
  const gone = await new GroupRecorder(openReader({ lease, heartbeatIntervalMs: 60_000 }).reader, groupId, [
    topic,
  ]).start();
  await gone.group.commit(gone.membership, [at(topic, 1, 'AQ')]);
  const next = await new GroupRecorder(openReader().reader, groupId, [topic]).start();
  expect(next.committed).toEqual([at(topic, 1, 'AQ')]);
  // The zombie does not know yet, and learns it by its commit.
  lease.valid = false;
  expect(gone.membership.isCurrent).toBe(true);
  await expect(gone.group.commit(gone.membership, [at(topic, 2)])).rejects.toMatchObject({
    code: 'DB_KAFKA_MEMBERSHIP_LOST',
  });
  expect(gone.membership.isCurrent).toBe(false);
  expect(gone.lost).toHaveLength(1);
  expect(await admin.committedOffsets(groupId)).toEqual([at(topic, 1, 'AQ')]);
  await next.group.commit(next.membership, [at(topic, 2)]);
  expect(next.lost).toEqual([]);
});

test('a zombie without its lease does not push out who took its place', async () => {
  const topic = await topicWith(['a']);
  const groupId = freshName('g');
  const lease = new TestLease();
  const zombie = await new GroupRecorder(openReader({ lease }).reader, groupId, [topic]).start();
  lease.valid = false;
  expect(zombie.membership.hasLease()).toBe(false);
  const next = await new GroupRecorder(openReader().reader, groupId, [topic]).start();
  await until('the heartbeat tells it', () => zombie.lost.length === 1);
  // It stops and leaves: not its place any more.
  await zombie.group.stop();
  await next.group.commit(next.membership, [at(topic, 1)]);
  expect((await admin.groupState(groupId)).state).toBe('Stable');
  expect(next.lost).toEqual([]);
  expect(zombie.joined).toHaveLength(1);
});

test('a worker that lives is let finish: its place is taken when it has left', async () => {
  const topic = await topicWith(['a']);
  const groupId = freshName('g');
  const workersGroup = freshName('workers');
  // Its membership of the workers' group is what makes it live.
  const worker = new Recorder({ groupId: workersGroup, topics: [topic] });
  await worker.consumer.start();
  const lease = new TestLease(worker.membership.memberId);
  const working = await new GroupRecorder(openReader({ lease, workersGroup }).reader, groupId, [topic]).start();
  const next = new GroupRecorder(openReader({ workersGroup }).reader, groupId, [topic]);
  const started = next.start();
  // While it waits, the one that works goes on.
  for (const offset of [0, 1]) await working.group.commit(working.membership, [at(topic, offset)]);
  await until('its heartbeats go on', async () => (await admin.groupState(groupId)).members.length === 1);
  expect(next.joined).toEqual([]);
  await working.group.commit(working.membership, [at(topic, 1, 'last')]);
  await working.group.stop();
  await started;
  expect(next.committed).toEqual([at(topic, 1, 'last')]);
});

test('a worker that lives, and never leaves, is replaced after a while', async () => {
  const topic = await topicWith(['a']);
  const groupId = freshName('g');
  const workersGroup = freshName('workers');
  const worker = new Recorder({ groupId: workersGroup, topics: [topic] });
  await worker.consumer.start();
  const lease = new TestLease(worker.membership.memberId);
  const stuck = await new GroupRecorder(openReader({ lease, workersGroup }).reader, groupId, [topic]).start();
  lease.valid = false;
  await new GroupRecorder(openReader({ workersGroup, handoverWithinMs: 500 }).reader, groupId, [topic]).start();
  await expect(stuck.group.commit(stuck.membership, [at(topic, 1)])).rejects.toMatchObject({
    code: 'DB_KAFKA_MEMBERSHIP_LOST',
  });
});

test('a dead worker is evicted from a group that nobody runs; a living one, and a member of another kind, are not', async () => {
  const topic = await topicWith(['a']);
  const workersGroup = freshName('workers');
  const owner = new Recorder({ groupId: workersGroup, topics: [topic] });
  await owner.consumer.start();
  const lease = new TestLease(owner.membership.memberId);
  const { reader } = openReader({ lease, workersGroup });
  const heldBy = async (other: TestLease) => {
    const groupId = freshName('g');
    await new GroupRecorder(openReader({ lease: other, workersGroup, heartbeatIntervalMs: 60_000 }).reader, groupId, [
      topic,
    ]).start();
    return groupId;
  };
  const dead = await heldBy(new TestLease());
  expect(await reader.evictDead(dead)).toBe(true);
  expect((await admin.groupState(dead)).state).toBe('Empty');
  expect(await reader.evictDead(dead)).toBe(false);

  const living = await heldBy(new TestLease(owner.membership.memberId));
  const foreign = freshName('g');
  await new Recorder({ groupId: foreign, topics: [topic] }).consumer.start();
  for (const groupId of [living, foreign, freshName('none')]) {
    expect(await reader.evictDead(groupId)).toBe(false);
  }
  expect((await admin.groupState(living)).state).toBe('Stable');
  // Whoever has lost its own membership must not judge others.
  lease.valid = false;
  expect(await reader.evictDead(await heldBy(new TestLease()))).toBe(false);
});

test('the control plane evicts the member of a worker that is gone, also when no worker is left; a living one stays', async () => {
  const topic = await topicWith(['a']);
  const workersGroup = freshName('workers');
  const heldBy = async (other: TestLease) => {
    const groupId = freshName('g');
    const { reader } = openReader({ lease: other, workersGroup, heartbeatIntervalMs: 60_000 });
    await new GroupRecorder(reader, groupId, [topic]).start();
    return groupId;
  };
  const alone = await heldBy(new TestLease());
  expect(await admin.evictDeadMember(alone, workersGroup)).toBe(true);
  expect((await admin.groupState(alone)).state).toBe('Empty');
  expect(await admin.evictDeadMember(alone, workersGroup)).toBe(false);

  const owner = new Recorder({ groupId: workersGroup, topics: [topic] });
  await owner.consumer.start();
  const living = await heldBy(new TestLease(owner.membership.memberId));
  const dead = await heldBy(new TestLease());
  expect(await admin.evictDeadMember(living, workersGroup)).toBe(false);
  expect(await admin.evictDeadMember(dead, workersGroup)).toBe(true);
  expect((await admin.groupState(living)).state).toBe('Stable');
});

test("an earlier release's consumer is waited for, and can't join while a reader is in the group", async () => {
  const topic = await topicWith(['a']);
  const groupId = freshName('g');
  const older = new Recorder({ groupId, topics: [topic] });
  await older.consumer.start();
  const newer = new GroupRecorder(openReader().reader, groupId, [topic]);
  const started = newer.start();
  await older.consumer.commit(older.membership, [at(topic, 1, 'by the older one')]);
  expect(newer.joined).toEqual([]);
  expect(older.lost).toEqual([]);
  await older.consumer.stop();
  await started;
  expect(newer.committed).toEqual([at(topic, 1, 'by the older one')]);

  const again = new Recorder({ groupId, topics: [topic] });
  const joining = again.consumer.start();
  await until('it is refused', () => again.failures.length > 0);
  expect(again.joined).toEqual([]);
  await newer.group.commit(newer.membership, [at(topic, 1)]);
  await newer.group.stop();
  await joining;
});

test('offsets can be set once the group is left, and not before', async () => {
  const topic = await topicWith(['a', 'b', 'c']);
  const groupId = freshName('g');
  const recorder = await new GroupRecorder(openReader().reader, groupId, [topic]).start();
  await recorder.group.commit(recorder.membership, [at(topic, 3)]);
  const { state, members } = await admin.groupState(groupId);
  expect({ state, clients: members.map(({ clientId }) => clientId) }).toEqual({
    state: 'Stable',
    clients: ['contract'],
  });
  await expect(admin.setOffsets(groupId, [at(topic, 1)])).rejects.toMatchObject({ code: 'DB_KAFKA_GROUP_ACTIVE' });
  await recorder.group.stop();
  expect((await admin.groupState(groupId)).state).toBe('Empty');
  await admin.setOffsets(groupId, [at(topic, 1)]);
  const next = await new GroupRecorder(openReader().reader, groupId, [topic]).start();
  await until('it is read from there', () => next.values.length === 2);
  expect(next.values).toEqual(['b', 'c']);
});

test('a worker that was thrown out and came back confirms its groups before its lease counts again', async () => {
  const topic = await topicWith(['a']);
  const lease = new TestLease('before');
  const { reader } = openReader({ lease });
  const recorder = await new GroupRecorder(reader, freshName('g'), [topic]).start();
  expect(recorder.membership.hasLease()).toBe(true);
  const before = recorder.membership;
  lease.memberId = 'after';
  expect(before.hasLease()).toBe(false);
  reader.checkLease();
  await until('it is confirmed', () => recorder.joined.length === 2);
  expect(recorder.membership.continues).toBe(before);
  expect(recorder.membership.hasLease()).toBe(true);
  await recorder.group.commit(recorder.membership, [at(topic, 1)]);
});

test('a start that is canceled leaves nothing behind', async () => {
  const topic = await topicWith(['a']);
  const groupId = freshName('g');
  const lease = new TestLease();
  lease.valid = false;
  const { reader } = openReader({ lease });
  const recorder = new GroupRecorder(reader, groupId, [topic]);
  const cancel = new AbortController();
  const started = recorder.group.start(cancel.signal);
  cancel.abort(new Error('not wanted any more'));
  await expect(started).rejects.toThrow('not wanted any more');
  await recorder.group.stop();
  expect(recorder.joined).toEqual([]);
  expect((await admin.groupState(groupId)).members).toEqual([]);
});
