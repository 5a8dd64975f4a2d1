/** What brokers answer in bad hours, for some lanes, sessions or groups: the trouble of one stays its own. */
import type { LaneReader } from '@databridge/kernel/kafka/lane-reader/lane-reader';
import { KafkaTamper } from '../harness/kafka/kafka-tamper.ts';
import { platform } from '../harness/platform.ts';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, until, upstreamSend } from './kafka-fixture.ts';
import { GroupRecorder, openReader } from './lane-reader-fixture.ts';

const NOT_LEADER = 6;
const KAFKA_STORAGE_ERROR = 56;

let tamper: KafkaTamper;
let reader: LaneReader;

beforeEach(async () => {
  tamper = await KafkaTamper.start(platform().brokers[0] as string);
  ({ reader } = openReader({}, { ...kafkaSettings(), brokers: [tamper.broker] }));
});
afterEach(async () => {
  await reader.stop();
  await tamper.stop();
});

/** A customer's group that reads a topic of its own. */
async function customer(): Promise<{ topic: string; of: GroupRecorder }> {
  const topic = freshName('lane');
  await createTopic(topic);
  return { topic, of: new GroupRecorder(reader, freshName('delivery'), [topic]) };
}

test.each([
  ['the leader is said to have moved', NOT_LEADER],
  ['the disk is said to have failed', KAFKA_STORAGE_ERROR],
])(
  '%s for some lanes, again and again: the others are read on, and then these, nothing skipped',
  async (_what, code) => {
    const customers = await Promise.all([customer(), customer(), customer()]);
    await Promise.all(customers.map(({ of }) => of.start()));
    const [troubled, ...others] = customers;
    tamper.errorOf = (topic) => (topic === troubled.topic ? code : 0);
    await Promise.all(customers.map(({ topic }) => upstreamSend(topic, ['a', 'b'])));
    for (const { of } of others) await until('the others are read', () => of.values.length === 2);
    await until('the broker refused again and again', () => tamper.changed >= 5);
    expect(troubled.of.values).toEqual([]);

    await Promise.all(others.map(({ topic }) => upstreamSend(topic, ['c'])));
    for (const { of } of others) await until('the others are read still', () => of.values.length === 3);
    tamper.errorOf = () => 0;
    await until('the troubled lane is read', () => troubled.of.values.length === 2);
    expect(troubled.of.values).toEqual(['a', 'b']);
    expect(troubled.of.jumps).toEqual([]);
    expect(customers.flatMap(({ of }) => of.lost)).toEqual([]);
  },
);

test('a session that the broker evicts repeatedly is started again: each record comes once', async () => {
  const customers = await Promise.all([customer(), customer()]);
  await Promise.all(customers.map(({ of }) => of.start()));
  for (let round = 0; round < 5; round++) {
    tamper.evict(1);
    await Promise.all(customers.map(({ topic }) => upstreamSend(topic, [`${round}`])));
    for (const { of } of customers) await until('the record is read', () => of.values.length === round + 1);
    await until('the eviction was met', () => tamper.evictionsLeft === 0);
  }
  for (const { of } of customers) expect(of.values).toEqual(['0', '1', '2', '3', '4']);
  expect(customers.flatMap(({ of }) => of.lost)).toEqual([]);
});

test('one of sixteen groups whose coordinator cannot be reached holds up no other start, and starts when it can', async () => {
  const customers = await Promise.all(Array.from({ length: 16 }, customer));
  const [away, ...others] = customers.map(({ of }) => of) as [GroupRecorder, ...GroupRecorder[]];
  tamper.unreachable.add(away.group.groupId);
  const starting = away.start();
  await Promise.all(others.map((one) => one.start()));
  await until('it was tried', () => tamper.changed > 0);
  expect(away.joined).toEqual([]);

  tamper.unreachable.clear();
  await starting;
  expect(away.joined).toHaveLength(1);
});

test('a stop does not wait for a group whose coordinator cannot be reached', async () => {
  const { of } = await customer();
  tamper.unreachable.add(of.group.groupId);
  const canceled = new AbortController();
  const starting = of.group.start(canceled.signal);
  await until('it was tried', () => tamper.changed > 0);
  canceled.abort(new Error('stopping'));
  await expect(starting).rejects.toThrow('stopping');
  await of.group.stop();
  expect(of.joined).toEqual([]);
});
