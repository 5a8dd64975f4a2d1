/** What a member of a consumer group is told, and when: most of it is there because kafkajs says it late, or not at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { stickyAssigner } from '@databridge/kernel/kafka/groups/assigners';
import type { CommittedOffset } from '@databridge/kernel/kafka/records';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { platform } from '../harness/platform.ts';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, Recorder, until, upstreamSend, withUpstreamAdmin } from './kafka-fixture.ts';

const admin = new KafkaAdmin(kafkaSettings());
afterAll(() => admin.disconnect());

async function topicWith(values: readonly string[], partitions = 1): Promise<string> {
  const topic = freshName('records');
  await createTopic(topic, partitions);
  if (values.length > 0) await upstreamSend(topic, values);
  return topic;
}

function at(topic: string, offset: number, metadata = '', partition = 0): CommittedOffset {
  return { topic, partition, offset, metadata };
}

describe('reading', () => {
  test('from the beginning without a commit, then from the committed offset, byte for byte', async () => {
    const topic = await topicWith(['a', 'b', 'c']);
    const groupId = freshName('g');
    const first = new Recorder({ groupId, topics: [topic] });
    await first.consumer.start();
    await until('all is read', () => first.values.length === 3);
    expect(first.received.at(-1)?.batch).toMatchObject({ nextOffset: 3, highWatermark: 3 });
    await first.consumer.commit(first.membership, [at(topic, 2, 'AQID-_ü')]);
    expect(await admin.committedOffsets(groupId)).toEqual([at(topic, 2, 'AQID-_ü')]);
    await first.consumer.stop();

    const second = new Recorder({ groupId, topics: [topic] });
    await second.consumer.start();
    await until('the rest is read', () => second.values.length === 1);
    expect(second.values).toEqual(['c']);
  });

  test('transaction markers move the position, whether after records or alone', async () => {
    const topic = await topicWith([]);
    const producer = upstreamKafka(platform().brokers).producer({
      transactionalId: freshName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const run = async (fate: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: fate, partition: 0 }] });
      await transaction[fate]();
    };
    await run('commit');
    const reader = new Recorder({ groupId: freshName('g'), topics: [topic] });
    await reader.consumer.start();
    await until('the marker is passed', () => reader.received.some(({ batch }) => batch.nextOffset === 2));
    await run('abort');
    await until('records that it cannot see are passed', () =>
      reader.received.some(({ batch }) => batch.nextOffset === 4),
    );
    await producer.disconnect();
    expect(reader.values).toEqual(['commit']);
    await upstreamSend(topic, ['after']);
    await until('what comes after is read', () => reader.values.includes('after'));
    expect(reader.records.at(-1)?.offset).toBe(4);
  });

  test('a throw restarts the consumer, and the batch comes again', async () => {
    const topic = await topicWith(['a']);
    let isBroken = true;
    const reader = new Recorder({
      groupId: freshName('g'),
      topics: [topic],
      onBatch: () => {
        if (isBroken) throw new Error('broken');
      },
    });
    await reader.consumer.start();
    await until('it failed twice', () => reader.failures.length >= 2);
    isBroken = false;
    const broken = reader.received.length;
    await until('it came through', () => reader.received.length > broken && reader.membership.isCurrent);
    expect(reader.failures[0]?.message).toBe('broken');
    expect(new Set(reader.values)).toEqual(new Set(['a']));
    // Each failure ended a membership, once.
    expect(new Set(reader.lost).size).toBe(reader.lost.length);
  });

  test('a topic that is missing or goes away is waited for; it is never created', async () => {
    const topic = freshName('late');
    const reader = new Recorder({ groupId: freshName('g'), topics: [topic] });
    const started = reader.consumer.start();
    await until('it failed', () => reader.failures.length > 0);
    expect(await admin.listTopics()).not.toContain(topic);
    await createTopic(topic);
    await started;
    await upstreamSend(topic, ['a']);
    await until('it is read', () => reader.values.length === 1);
  });

  test('a paused partition rests while the others go on', async () => {
    const topic = await topicWith(['a'], 2);
    const reader = new Recorder({ groupId: freshName('g'), topics: [topic] });
    await reader.consumer.start();
    await until('it is read', () => reader.values.length === 1);
    reader.consumer.pause([{ topic, partition: 0 }]);
    await upstreamSend(topic, ['rests'], 0);
    for (const round of ['1', '2', '3']) {
      await upstreamSend(topic, [round], 1);
      await until('the other partition goes on', () => reader.values.includes(round));
    }
    expect(reader.values).not.toContain('rests');
    reader.consumer.resume([{ topic, partition: 0 }]);
    await until('it is read', () => reader.values.includes('rests'));
  });

  test('says when all is read', async () => {
    const topic = await topicWith(['a', 'b'], 3);
    const drainedAfter: number[] = [];
    const reader: Recorder = new Recorder({
      groupId: freshName('g'),
      topics: [topic],
      onDrained: () => drainedAfter.push(reader.values.length),
    });
    await reader.consumer.start();
    await until('all is read', () => drainedAfter.length > 0);
    expect(drainedAfter[0]).toBe(2);
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
    const reader = new Recorder({ groupId, topics: [topic] }, settings);
    await reader.consumer.start();
    await until('it is read', () => reader.values.length > 0);
    expect(reader.values).toEqual(['d']);
    expect(errors).toContainEqual({ event: 'offset_out_of_range', groupId, topic, partition: 0 });
    expect(await settings.registry.metrics()).toMatch(/^databridge_kafka_offset_jumps_total(\{.*\})? 1$/m);
    // kafkajs has committed -2 by itself, which is not an offset.
    expect(await admin.committedOffsets(groupId)).toEqual([]);
  });
});

describe('memberships', () => {
  test('a rebalance ends one and begins another; who keeps all may carry over', async () => {
    const topic = await topicWith(['a'], 2);
    const groupId = freshName('g');
    const first = new Recorder({ groupId, topics: [topic], assigners: [stickyAssigner] });
    await first.consumer.start();
    await until('it is read', () => first.values.length === 1);
    const alone = first.membership;
    expect(alone.continues).toBeUndefined();

    const second = new Recorder({ groupId, topics: [topic], assigners: [stickyAssigner] });
    await second.consumer.start();
    await until('the first has rejoined', () => first.joined.length === 2);
    expect(first.lost).toEqual([alone]);
    expect(alone.isCurrent).toBe(false);
    expect(alone.hasLease()).toBe(false);
    const halved = first.membership;
    expect(halved.memberId).toBe(alone.memberId);
    expect(halved.continues).toBeUndefined(); // the assignment has changed

    // A third finds no partition: the two others keep theirs, and may carry on.
    const third = new Recorder({ groupId, topics: [topic], assigners: [stickyAssigner] });
    await third.consumer.start();
    await until('the first has rejoined', () => first.joined.length === 3);
    expect(first.membership.continues).toBe(halved);
    expect(third.partitions).toEqual([]);
    expect(halved.isCurrent).toBe(false);
    for (const received of [...first.received, ...second.received]) expect(received.wasLeaseHeld).toBe(true);
  });

  test('a new one starts with nothing paused', async () => {
    const topic = await topicWith(['a'], 1);
    const groupId = freshName('g');
    const reader = new Recorder({ groupId, topics: [topic] });
    await reader.consumer.start();
    await until('it is read', () => reader.values.length === 1);
    reader.consumer.pause([{ topic, partition: 0 }]);
    const other = new Recorder({ groupId, topics: [topic] });
    await other.consumer.start();
    await until('it has rejoined', () => reader.joined.length === 2);
    // The sticky assigner has left it the partition; the rejoin rewinds to where nothing is committed.
    await until('it is read again', () => reader.values.length === 2);
  });

  test('a frozen member takes nothing that it fetched before it was replaced', async () => {
    const topic = await topicWith(['before']);
    const groupId = freshName('g');
    const reader = new Recorder({ groupId, topics: [topic], maxWaitMs: 3_000, sessionTimeoutMs: 6_000 });
    await reader.consumer.start();
    await until('it is read', () => reader.values.includes('before'));
    const observer = await startObserver(topic, groupId);
    await upstreamSend(topic, ['just before']);
    await until('it is read', () => reader.values.includes('just before'));
    const frozen = reader.membership;
    // The answer to the fetch that waits now lies in the socket while nothing runs here.
    observer.sendAndFreezeUntilReplaced('stale');
    expect(frozen.hasLease()).toBe(false);
    await until('it comes', () => reader.values.includes('stale'));
    const stale = reader.received.filter(({ batch }) => batch.records.some(({ value }) => String(value) === 'stale'));
    expect(stale.every(({ wasLeaseHeld }) => wasLeaseHeld)).toBe(true);
    expect(stale.map(({ membership }) => membership)).not.toContain(frozen);
    expect(reader.lost).toContain(frozen);
    expect(reader.membership.memberId).not.toBe(frozen.memberId);
  });

  test('heartbeats keep the lease while nothing comes', async () => {
    const topic = await topicWith([]);
    const sessionTimeoutMs = 8_000;
    const reader = new Recorder({ groupId: freshName('g'), topics: [topic], sessionTimeoutMs });
    await reader.consumer.start();
    const { membership } = reader;
    // Without a heartbeat since, the lease of this membership would be out for good.
    const outAtMs = performance.now() + 0.6 * sessionTimeoutMs;
    await until('it is held past the time of a join', () => performance.now() > outAtMs && membership.hasLease());
  });

  test('stopping ends the membership at once and leaves the group', async () => {
    const topic = await topicWith(['a']);
    const groupId = freshName('g');
    const reader = new Recorder({ groupId, topics: [topic], sessionTimeoutMs: LONGER_THAN_A_TEST_MS });
    await reader.consumer.start();
    await until('it is read', () => reader.values.length === 1);
    const stopped = reader.consumer.stop();
    expect(reader.lost).toEqual([reader.membership]);
    await stopped;
    await untilWithoutMembers(groupId);
  });

  test('a stop while it still joins leaves nothing running', async () => {
    const topic = await topicWith([]);
    const groupId = freshName('g');
    const reader = new Recorder({ groupId, topics: [topic], sessionTimeoutMs: LONGER_THAN_A_TEST_MS });
    const started = reader.consumer.start();
    await reader.consumer.stop();
    await started;
    await untilWithoutMembers(groupId);
    expect(reader.joined.filter(({ isCurrent }) => isCurrent)).toEqual([]);
  });
});

describe('commits', () => {
  test('are refused without a call when they can only do harm', async () => {
    const topic = await topicWith(['a']);
    const groupId = freshName('g');
    const reader = new Recorder({ groupId, topics: [topic] });
    await reader.consumer.start();
    const commit = (offset: CommittedOffset) => reader.consumer.commit(reader.membership, [at(topic, 1), offset]);
    await expect(commit(at(topic, 1, '', 5))).rejects.toMatchObject({ code: 'DB_KAFKA_NOT_ASSIGNED' });
    await expect(commit(at('other', 1))).rejects.toMatchObject({ code: 'DB_KAFKA_NOT_ASSIGNED' });
    await expect(commit(at(topic, 1, 'x'.repeat(4_097)))).rejects.toMatchObject({ code: 'DB_KAFKA_METADATA_TOO_LONG' });
    expect(await admin.committedOffsets(groupId)).toEqual([]);
    await commit(at(topic, 1, 'x'.repeat(4_096)));
    expect((await admin.committedOffsets(groupId))[0]?.metadata).toHaveLength(4_096);
  });

  test('are stored even as the first membership begins', async () => {
    const topic = await topicWith(['a', 'b', 'c']);
    const groupId = freshName('g');
    let committed: Promise<void> | undefined;
    const reader: Recorder = new Recorder({
      groupId,
      topics: [topic],
      onJoined: (membership) => {
        committed = reader.consumer.commit(membership, [at(topic, 2)]);
      },
    });
    await reader.consumer.start();
    await committed;
    expect(await admin.committedOffsets(groupId)).toEqual([at(topic, 2)]);
  });

  test('of a membership that has ended are refused, by us or by the broker', async () => {
    const topic = await topicWith(['a'], 2);
    const groupId = freshName('g');
    const released = Promise.withResolvers<void>();
    const first = new Recorder({ groupId, topics: [topic], onBatch: () => released.promise });
    await first.consumer.start();
    // While it processes a batch, it sends no heartbeat.
    await until('it processes a batch', () => first.received.length > 0);
    const zombie = first.membership;
    // The broker throws it out, and it hasn't noticed yet.
    await leaveInItsName(groupId, zombie.memberId);
    expect(zombie.isCurrent).toBe(true);
    const late = first.consumer.commit(zombie, [at(topic, 1)]);
    await expect(late).rejects.toMatchObject({ code: 'DB_KAFKA_MEMBERSHIP_LOST', retryable: false });
    expect(first.lost).toEqual([zombie]);
    released.resolve();
    await until('it has rejoined', () => first.joined.length === 2);
    await expect(first.consumer.commit(zombie, [at(topic, 1)])).rejects.toMatchObject({
      code: 'DB_KAFKA_MEMBERSHIP_LOST',
    });
    expect(await admin.committedOffsets(groupId)).toEqual([]);
    expect(first.membership.continues).toBeUndefined();
  });
});

const FREEZE_LOOK_MS = 50;

/** A process that sends while this one stands still, and sees when the broker has replaced its one member. */
async function startObserver(topic: string, groupId: string) {
  const dir = mkdtempSync(join(tmpdir(), 'databridge-observer-'));
  const replaced = join(dir, 'replaced');
  const script = `
    import { once } from 'node:events';
    import { writeFileSync } from 'node:fs';
    import { setTimeout as delay } from 'node:timers/promises';
    import { Kafka } from 'kafkajs';
    const kafka = new Kafka({ logLevel: 0, brokers: ${JSON.stringify(platform().brokers)} });
    const [producer, admin] = [kafka.producer({ allowAutoTopicCreation: false }), kafka.admin()];
    await Promise.all([producer.connect(), admin.connect()]);
    await producer.send({ topic: '${topic}', messages: [] });
    const stateOf = async () => (await admin.describeGroups(['${groupId}'])).groups[0].state;
    await stateOf();
    console.log('ready');
    const [value] = await once(process.stdin, 'data');
    await producer.send({ topic: '${topic}', messages: [{ value, partition: 0 }] });
    while ((await stateOf()) !== 'Empty') await delay(${FREEZE_LOOK_MS});
    writeFileSync('${replaced}', '');
    process.exit();`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    sendAndFreezeUntilReplaced(value: string): void {
      child.stdin.write(value);
      const asleep = new Int32Array(new SharedArrayBuffer(4));
      while (!existsSync(replaced) && child.exitCode === null) Atomics.wait(asleep, 0, 0, FREEZE_LOOK_MS);
      rmSync(dir, { recursive: true });
    },
  };
}

/** So that a member that is gone has left by itself. */
const LONGER_THAN_A_TEST_MS = 300_000;

async function untilWithoutMembers(groupId: string): Promise<void> {
  await until('the group has no member', async () => (await admin.groupState(groupId)).members.length === 0);
}

/** Has the broker throw a member out. */
async function leaveInItsName(groupId: string, memberId: string): Promise<void> {
  let cluster: { findGroupCoordinator(group: { groupId: string }): Promise<unknown> } | undefined;
  const consumer = upstreamKafka(platform().brokers).consumer({
    groupId: freshName('g'),
    partitionAssigners: [
      (config) => {
        cluster = config.cluster;
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  await consumer.connect();
  const broker = (await cluster?.findGroupCoordinator({ groupId })) as {
    leaveGroup(member: { groupId: string; memberId: string }): Promise<void>;
  };
  await broker.leaveGroup({ groupId, memberId });
  await consumer.disconnect();
}
