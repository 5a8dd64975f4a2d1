/** The assigners at work in real groups. What they decide is tested beside them, as pure functions. */
import { oneMemberAssigner, stickyAssigner } from '@databridge/kernel/kafka/groups/assigners';
import { kafkaTool } from '@databridge/local-platform/jvm/kafka-tool';
import { platform } from '../harness/platform.ts';
import { freshName } from '../harness/topics.ts';
import { createTopic, Recorder, until } from './kafka-fixture.ts';

function settledAt(members: readonly Recorder[], partitions: number, largestShare: number): () => boolean {
  return () => {
    const memberships = members.map(({ joined }) => joined.at(-1));
    const shares = memberships.map((m) => (m?.isCurrent ? m.assignment.length : -1));
    const owned = memberships.flatMap((m) => m?.assignment.map((p) => `${p.topic}/${p.partition}`) ?? []);
    return (
      new Set(owned).size === partitions &&
      owned.length === partitions &&
      Math.max(...shares) === largestShare &&
      Math.min(...shares) >= 0
    );
  };
}

test('sticky: who comes takes its share and no more moves; who goes leaves its own only', async () => {
  const topic = freshName('shards');
  const groupId = freshName('g');
  await createTopic(topic, 12);
  const start = async () => {
    const member = new Recorder({ groupId, topics: [topic], assigners: [stickyAssigner] });
    await member.consumer.start();
    return member;
  };
  const first = await start();
  const second = await start();
  await until('two share', settledAt([first, second], 12, 6));
  const firstHad = first.partitions;
  const secondHad = second.partitions;

  const third = await start();
  await until('three share', settledAt([first, second, third], 12, 4));
  expect(firstHad).toEqual(expect.arrayContaining(first.partitions));
  expect(secondHad).toEqual(expect.arrayContaining(second.partitions));
  const [firstKept, secondKept] = [first.partitions, second.partitions];

  await third.consumer.stop();
  await until('two share again', settledAt([first, second], 12, 6));
  expect(first.partitions).toEqual(expect.arrayContaining(firstKept));
  expect(second.partitions).toEqual(expect.arrayContaining(secondKept));

  // Kafka's own tools must be able to read what our assigner writes.
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
    ...['--bootstrap-server', platform().brokers.join(','), '--describe', '--members', '--verbose', '--group', groupId],
  ]);
  expect(stdout).toContain(first.membership.memberId);
  expect(stdout).toContain(`${topic}:`);
});

test('one member: all lanes stay with the owner while it lives, then go over together', async () => {
  const lanes = [freshName('main'), freshName('retry')];
  const groupId = freshName('g');
  for (const lane of lanes) await createTopic(lane);
  const start = async () => {
    const member = new Recorder({ groupId, topics: lanes, assigners: [oneMemberAssigner] });
    await member.consumer.start();
    return member;
  };
  const owner = await start();
  const standBys = [await start(), await start()];
  await until(
    'all have joined',
    () => owner.joined.length > 1 && [owner, ...standBys].every((m) => m.membership.isCurrent),
  );
  expect(owner.partitions).toHaveLength(2);
  expect(standBys.map(({ partitions }) => partitions.length)).toEqual([0, 0]);
  for (const membership of owner.joined) expect(membership.assignment).toHaveLength(2);

  await owner.consumer.stop();
  await until('one has taken over', settledAt(standBys, 2, 2));
});
