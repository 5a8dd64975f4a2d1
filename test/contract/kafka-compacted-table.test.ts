import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import {
  CompactedTable,
  type CompactedTableOptions,
  type Ownership,
} from '@databridge/kernel/kafka/tables/compacted-table';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { platform } from '../harness/platform.ts';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, until, withUpstreamAdmin } from './kafka-fixture.ts';

const producer = new KafkaProducer(kafkaSettings());
beforeAll(() => producer.connect());
afterAll(() => producer.disconnect());

const tables: CompactedTable<string>[] = [];
afterEach(async () => {
  await Promise.all(tables.splice(0).map((table) => table.stop()));
});

function open(topic: string, options: Partial<CompactedTableOptions<string>> = {}) {
  const changes: string[] = [];
  const table = new CompactedTable<string>(kafkaSettings(), {
    topic,
    decode: (_key, value) => value.toString(),
    onChange: (key, value) => changes.push(`${key}=${value}`),
    heartbeatIntervalMs: 200,
    maxWaitMs: 200,
    ...options,
  });
  tables.push(table);
  return { table, changes };
}

async function write(topic: string, entries: Record<string, string | null>): Promise<void> {
  await producer.send(Object.entries(entries).map(([key, value]) => ({ topic, key, value })));
}

async function tableTopic(partitions: number, cleanupPolicy = 'compact'): Promise<string> {
  const topic = freshName('table');
  await createTopic(topic, partitions, { 'cleanup.policy': cleanupPolicy });
  return topic;
}

const keys = Array.from({ length: 200 }, (_, n) => `customer-${n}`);
const all = Object.fromEntries(keys.map((key) => [key, '1']));

test('caught up, it contains all that was written before; then it follows', async () => {
  const topic = await tableTopic(8);
  await write(topic, all);
  await write(topic, { 'customer-3': null, 'customer-4': '2' });
  const { table, changes } = open(topic);
  await table.start();
  await table.caughtUp();
  expect(Object.fromEntries(table.entries())).toEqual({ ...omit(all, 'customer-3'), 'customer-4': '2' });
  await write(topic, { 'customer-4': null, new: 'x' });
  await until('it follows', () => table.get('new') === 'x' && table.get('customer-4') === undefined);
  expect(changes).toContain('customer-4=undefined');
});

test('an empty topic, and one that ends in transaction markers, are caught up too', async () => {
  const empty = open(await tableTopic(4));
  await empty.table.start();
  await empty.table.caughtUp();
  expect([...empty.table.entries()]).toEqual([]);

  const topic = await tableTopic(2);
  const transactional = upstreamKafka(platform().brokers).producer({
    transactionalId: freshName('tx'),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await transactional.connect();
  for (const end of ['commit', 'abort'] as const) {
    const transaction = await transactional.transaction();
    await transaction.send({
      topic,
      messages: [0, 1].map((partition) => ({ key: `${end}${partition}`, value: end, partition })),
    });
    await transaction[end]();
  }
  await transactional.disconnect();
  const marked = open(topic);
  await marked.table.start();
  await marked.table.caughtUp();
  expect(Object.fromEntries(marked.table.entries())).toEqual({ commit0: 'commit', commit1: 'commit' });
});

test('a record that cannot be read leaves its key as it was', async () => {
  const topic = await tableTopic(1);
  await write(topic, { a: 'good', b: 'good' });
  await write(topic, { a: 'bad', b: 'worse' });
  const { table } = open(topic, {
    decode: (_key, value) => {
      if (String(value) === 'worse') throw new Error('unreadable');
      return String(value) === 'bad' ? undefined : String(value);
    },
  });
  await table.start();
  await table.caughtUp();
  expect(Object.fromEntries(table.entries())).toEqual({ a: 'good', b: 'good' });
});

test('shared: each member has its partitions; moves are reported, others are not reported again', async () => {
  const topic = await tableTopic(8);
  await write(topic, all);
  const groupId = freshName('workers');
  const join = async () => {
    const owned: Ownership[] = [];
    const opened = open(topic, { group: { groupId, onOwned: (ownership) => owned.push(ownership) } });
    await opened.table.start();
    return { ...opened, owned };
  };
  const first = await join();
  await first.table.caughtUp();
  expect(first.owned).toEqual([{ gained: [0, 1, 2, 3, 4, 5, 6, 7], kept: [], lost: [], lostKeys: [] }]);
  // By key: the producer may have stored a record twice.
  expect(new Set(first.changes).size).toBe(200);
  first.changes.length = 0;

  const second = await join();
  await until('the first has given away', () => first.owned.length === 2);
  const handover = first.owned[1] as Ownership;
  expect(handover).toMatchObject({ gained: [], kept: { length: 4 }, lost: { length: 4 } });
  await Promise.all([first.table.caughtUp(), second.table.caughtUp()]);
  const [mine, theirs] = [Object.fromEntries(first.table.entries()), Object.fromEntries(second.table.entries())];
  expect({ ...mine, ...theirs }).toEqual(all);
  expect(Object.keys(theirs).sort()).toEqual([...handover.lostKeys].sort());
  expect(Object.keys(mine).length + Object.keys(theirs).length).toBe(200);
  expect(first.changes).toEqual([]);

  // Back again, with what has changed meanwhile.
  const [moved] = handover.lostKeys;
  await write(topic, { [moved as string]: '2' });
  await until('the owner knows', () => second.table.get(moved as string) === '2');
  await second.table.stop();
  await until('the first has it all', () => first.owned.length === 3);
  await first.table.caughtUp();
  expect(Object.fromEntries(first.table.entries())).toEqual({ ...all, [moved as string]: '2' });
});

test('what has gone from the log of a kept partition goes from the table with the next join', async () => {
  const topic = await tableTopic(1, 'compact,delete');
  await write(topic, { gone: '1', stays: '1' });
  const group = { groupId: freshName('workers'), onOwned: () => {} };
  const first = open(topic, { group });
  await first.table.start();
  await first.table.caughtUp();
  await withUpstreamAdmin(async (upstream) => {
    await upstream.fetchTopicOffsets(topic);
    await upstream.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
  });
  const standBy = open(topic, { group });
  await standBy.table.start();
  await until('it is gone', () => first.table.get('gone') === undefined);
  await first.table.caughtUp();
  expect(first.changes).toEqual(['gone=1', 'stays=1', 'gone=undefined']);
  expect(first.table.get('stays')).toBe('1');
});

function omit(entries: Record<string, string>, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter(([k]) => k !== key));
}
