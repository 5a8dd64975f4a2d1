/** The one writer of a topic, on a real Kafka: all or nothing, and nobody beside it. */
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { TransactionalProducer } from '@databridge/kernel/kafka/producing/transactional-producer';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { eventually } from '../harness/eventually.ts';
import { platform } from '../harness/platform.ts';
import { freshName } from '../harness/topics.ts';

const kafka = { brokers: platform().brokers, clientId: 'transactions', log: createLogger('transactions', 'silent') };
const admin = new KafkaAdmin(kafka);
const topic = freshName('written');
const beside = freshName('beside');
const transactionalId = freshName('writer');
const partitions = new Map([
  [topic, 2],
  [beside, 1],
]);

beforeAll(async () => {
  await admin.ensureTopics([
    { topic, partitions: 2, config: { 'cleanup.policy': 'compact' } },
    { topic: beside, partitions: 1, config: {} },
  ]);
});
afterAll(() => admin.disconnect());

const open = () => TransactionalProducer.open(kafka, { transactionalId, partitions });

async function valuesOf(name: string): Promise<string[]> {
  const values: string[] = [];
  await readTopic(kafka, name, { onBatch: ({ records }) => void values.push(...records.map((one) => `${one.value}`)) });
  return values.sort();
}

test('what is committed together is there together, and only the last to take up the id writes', async () => {
  const first = await open();
  await first.commit([
    { topic, key: 'a', value: '1' },
    { topic: beside, key: null, value: 'a is 1' },
  ]);
  // Side by side: they share transactions.
  await Promise.all(['b', 'c', 'd'].map((key) => first.commit([{ topic, key, value: `${key}1` }])));
  const second = await open();
  await expect(
    first.commit([
      { topic, key: 'a', value: 'late' },
      { topic: beside, key: null, value: 'a is late' },
    ]),
  ).rejects.toMatchObject({ code: 'DB_KAFKA_FENCED' });
  expect(first.isOver).toBe(true);
  await expect(first.commit([{ topic, key: 'a', value: 'later' }])).rejects.toMatchObject({ code: 'DB_KAFKA_CLOSED' });
  const [written] = await second.commit([{ topic, key: 'a', value: '2' }]);
  expect(written).toMatchObject({ topic, end: expect.any(Number) });
  // The broker answers a commit before it writes the marker; until then the log ends before the transaction.
  const values = await eventually(
    () => valuesOf(topic),
    (found) => found.includes('2'),
  );
  expect(values).toEqual(['1', '2', 'b1', 'c1', 'd1']);
  expect(await valuesOf(beside)).toEqual(['a is 1']);
  await Promise.all([first.close(), second.close()]);
});

test('a table that is refreshed contains what was committed before, through all transaction markers', async () => {
  const table = new CompactedTable<string>(kafka, { topic, decode: (_key, value) => value.toString(), maxWaitMs: 200 });
  await table.start();
  const producer = await open();
  for (let nth = 0; nth < 20; nth++) {
    const written = await producer.commit([{ topic, key: `k${nth % 3}`, value: String(nth) }]);
    await table.readUpTo(written);
    expect(table.get(`k${nth % 3}`)).toBe(String(nth));
    await table.refreshed();
  }
  const [askedTwice] = await Promise.all([table.refreshed(), table.refreshed()]);
  expect(askedTwice).toBeUndefined();
  await producer.close();
  await table.stop();
});
