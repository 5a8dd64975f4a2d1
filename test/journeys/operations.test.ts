/** What operators do to customers: stop and start them, deliver again, mend; never at the price of an event. */

import { groupEmpty } from '@databridge/control-plane/operations/group-empty';
import { redriveQuarantine } from '@databridge/control-plane/operations/quarantine';
import { redeliver } from '@databridge/control-plane/operations/redeliver';
import { redriveDeadLetters } from '@databridge/control-plane/operations/redrive';
import { planRewind, rewind } from '@databridge/control-plane/operations/rewind';
import { changeState } from '@databridge/control-plane/subscriptions/change-state';
import { tendRetention } from '@databridge/control-plane/upkeep/retention';
import { gatherEvidence } from '@databridge/control-plane/views/gather-evidence';
import { reconcile } from '@databridge/control-plane/views/reconcile';
import { customerStatuses } from '@databridge/control-plane/views/status';
import { quarantineRecord } from '@databridge/fan-out/routing/quarantine';
import { encodeOffsetSet } from '@databridge/kernel/offsets/offset-set';
import { kafkaTool } from '@databridge/local-platform/jvm/kafka-tool';
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { ATTEMPTS_TOPIC, deadTopic, deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { platform } from '../harness/platform.ts';
import { Receiver, type Script } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const DAYS_14_MS = '1209600000';
const DAYS_90_MS = '7776000000';
let stage: Stage;

beforeAll(async () => {
  // So many attempts that no event is given up while a test does something else.
  stage = await Stage.start({ delivery: { RETRY_PLAN: '1s*2,2s*100' } });
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

/** A customer who got so many events. */
async function customerWith(name: string, count: number, script?: Script) {
  const customer = freshName(name);
  const receiver = await Receiver.start(script);
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce(events(customer, count));
  await receiver.waitFor(({ requests }) => requests.length >= count);
  await settled(customer);
  return { customer, receiver };
}

async function settled(customer: string): Promise<void> {
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
}

const pause = async (customer: string) => {
  await changeState(stage.operations, customer, 'pause');
  await groupEmpty(stage.admin, customer, 60_000);
};
const resume = (customer: string) => changeState(stage.operations, customer, 'resume');
const waitingFor = (customer: string, count: number) =>
  eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === count,
  );
const committedMain = async (customer: string) =>
  (await stage.admin.committedOffsets(deliveryGroup(customer))).find(({ topic }) => topic === deliveryTopic(customer));

async function reconciled(customer: string) {
  return reconcile(await gatherEvidence(stage.operations, customer, {}), {});
}

async function retentionOf(customer: string): Promise<(string | undefined)[]> {
  // A retry lane is there once it was needed.
  const existing = await stage.admin.listTopics();
  const lanes = [deliveryTopic(customer), `${deliveryTopic(customer)}.retry.1s`];
  const topics = lanes.filter((topic) => existing.includes(topic));
  const settings = await stage.admin.topicSettings(topics);
  return topics.map((topic) => settings.get(topic)?.['retention.ms']);
}

/** A broker shows a changed setting a moment after it has accepted it. */
async function retentionBecomes(customer: string, wanted: string): Promise<void> {
  await eventually(
    () => retentionOf(customer),
    (found) => found.every((one) => one === wanted),
  );
}

async function stateOf(customer: string) {
  const [one] = await customerStatuses(stage.operations, [customer]);
  return one;
}

test('a paused customer leaves its group, gets nothing and keeps everything; resumed, it gets what waited', async () => {
  const { customer, receiver } = await customerWith('paused', 5);
  await pause(customer);
  await retentionBecomes(customer, DAYS_90_MS);
  const others = await stage.admin.topicSettings([deliveryTopic(customer)]);
  expect(others.get(deliveryTopic(customer))).toMatchObject({ 'message.timestamp.type': 'LogAppendTime' });

  await stage.upstream.produce(events(customer, 7));
  await waitingFor(customer, 7);
  expect(receiver.requests).toHaveLength(5);
  expect(await stateOf(customer)).toMatchObject({
    state: 'paused',
    lagByLane: { main: 7 },
    attempts: { delivered: 5 },
  });
  // What waits keeps its topics as they are, however often they are looked after.
  expect(await tendRetention(stage.operations, Date.now())).toMatchObject({ shorter: [] });

  expect(await resume(customer)).toEqual({ customer, before: 'paused', after: 'active' });
  await receiver.waitFor(({ accepted }) => accepted === 12);
  await settled(customer);
  expect(receiver.repeats).toBe(0);
  const { shorter } = await tendRetention(stage.operations, Date.now());
  expect(shorter).toContain(deliveryTopic(customer));
  await retentionBecomes(customer, DAYS_14_MS);
});

test('retention stays as of a stopped customer while a resumed customer’s old backlog waits', async () => {
  const { customer, receiver } = await customerWith('backlog', 3);
  await pause(customer);
  await retentionBecomes(customer, DAYS_90_MS);
  await stage.upstream.produce(events(customer, 2));
  await waitingFor(customer, 2);
  await stage.subscribe(customer, receiver.url, { state: 'active', ratePerSecond: 0.001 });
  // In eight days, what waits now is old.
  const inEightDays = Date.now() + 8 * 86_400_000;
  expect((await tendRetention(stage.operations, inEightDays)).shorter).not.toContain(deliveryTopic(customer));
  expect((await retentionOf(customer))[0]).toBe(DAYS_90_MS);
  await pause(customer);
});

test('a customer disabled by an operator is enabled, not resumed', async () => {
  const { customer, receiver } = await customerWith('disabled', 1);
  await changeState(stage.operations, customer, 'disable');
  await groupEmpty(stage.admin, customer, 60_000);
  expect(await stateOf(customer)).toMatchObject({ state: 'disabled', disabledBy: 'operator' });
  await expect(resume(customer)).rejects.toMatchObject({ code: 'DB_CONFLICT' });
  await stage.upstream.produce(events(customer, 1));
  await waitingFor(customer, 1);
  await changeState(stage.operations, customer, 'enable');
  await receiver.waitFor(({ accepted }) => accepted === 2);
});

test('a rewind delivers again what was done, and only that; a dry run says so and does nothing', async () => {
  const { customer, receiver } = await customerWith('rewound', 20);
  const target = { kind: 'offset', offset: 8 } as const;
  const plan = await planRewind(stage.operations, customer, target);
  expect(plan).toMatchObject({ partitions: [{ partition: 0, from: 20, to: 8 }], again: 12, deleted: 0, skipped: 0 });
  const times = (await stage.read(deliveryTopic(customer))).map(({ timestampMs }) => timestampMs);
  expect([plan.firstAtMs, plan.lastAtMs]).toEqual([times[8], times[19]]);
  expect(await committedMain(customer)).toMatchObject({ offset: 20 });

  expect(await rewind(stage.operations, customer, target)).toEqual(plan);
  await receiver.waitFor(({ requests }) => requests.length === 32);
  await settled(customer);
  expect(receiver.repeats).toBe(12);
  expect(await stateOf(customer)).toMatchObject({ state: 'active' });
});

test('a rewind forgets what the old metadata calls done', async () => {
  const { customer, receiver } = await customerWith('metadata', 10);
  await pause(customer);
  const topic = deliveryTopic(customer);
  const metadata = encodeOffsetSet(0, [{ from: 1, to: 10 }]);
  await stage.admin.setOffsets(deliveryGroup(customer), [{ topic, partition: 0, offset: 0, metadata }]);
  expect(await rewind(stage.operations, customer, { kind: 'earliest' })).toMatchObject({ again: 9 });
  await resume(customer);
  await receiver.waitFor(({ requests }) => requests.length === 20);
});

test('a rewind says how many of the events also wait in retry, and how many are deleted', async () => {
  const customer = freshName('waiting');
  const receiver = await Receiver.start(() => ({ status: 503 }));
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce(events(customer, 4));
  await receiver.waitFor(({ requests }) => requests.length >= 4);
  await pause(customer);
  const waiting = await planRewind(stage.operations, customer, { kind: 'earliest' });
  expect(waiting).toMatchObject({ again: 4, waitingInRetry: 4 });
});

test('the real tool’s reset of a paused customer’s offsets does the same as a rewind', async () => {
  const [ours, theirs] = await Promise.all([customerWith('ours', 6), customerWith('theirs', 6)]);
  await Promise.all([pause(ours.customer), pause(theirs.customer)]);
  await rewind(stage.operations, ours.customer, { kind: 'offset', offset: 2 });
  const flags = ['--group', deliveryGroup(theirs.customer), '--topic', deliveryTopic(theirs.customer)];
  const where = ['--bootstrap-server', platform().brokers.join()];
  const { stdout, stderr } = await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
    ...where,
    ...flags,
    '--reset-offsets',
    '--to-offset',
    '2',
    '--execute',
  ]);
  // Its exit code is 0 even where it refuses.
  expect(stdout + stderr).toMatch(/delivery\.theirs\S*\s+0\s+2/);
  const [a, b] = await Promise.all([committedMain(ours.customer), committedMain(theirs.customer)]);
  expect({ ...b, topic: '' }).toEqual({ ...a, topic: '' });
  for (const { customer, receiver } of [ours, theirs]) {
    await resume(customer);
    await receiver.waitFor(({ requests }) => requests.length === 10);
    await settled(customer);
    expect(receiver.repeats).toBe(4);
  }
});

test('moving ahead is refused, unless it is meant; what it passes over is accounted for as skipped', async () => {
  const { customer, receiver } = await customerWith('ahead', 2);
  await pause(customer);
  await stage.upstream.produce(events(customer, 3));
  await waitingFor(customer, 3);
  const target = { kind: 'time', atMs: Date.now() + 60_000 } as const;
  await expect(rewind(stage.operations, customer, target)).rejects.toMatchObject({ code: 'DB_CONFLICT' });
  expect(await committedMain(customer)).toMatchObject({ offset: 2 });

  expect(await rewind(stage.operations, customer, target, { maySkip: true })).toMatchObject({ skipped: 3, again: 0 });
  expect(await reconciled(customer)).toMatchObject({ delivered: 2, skipped: 3, waiting: 0, unaccounted: [] });
  await rewind(stage.operations, customer, { kind: 'offset', offset: 2 });
  await resume(customer);
  await receiver.waitFor(({ accepted }) => accepted === 5);
  await settled(customer);
  expect(await reconciled(customer)).toMatchObject({ delivered: 5, skipped: 0 });
});

test('a group that lost its offsets while its customer was paused goes on where it was, and says so', async () => {
  const { customer, receiver } = await customerWith('lost', 10);
  await pause(customer);
  await stage.admin.deleteGroup(deliveryGroup(customer));
  expect(await stage.admin.committedOffsets(deliveryGroup(customer))).toEqual([]);
  await stage.upstream.produce(events(customer, 5));
  await eventually(
    async () => (await stage.admin.watermarks(deliveryTopic(customer)))[0]?.high,
    (high) => high === 15,
  );
  await resume(customer);
  await receiver.waitFor(({ accepted }) => accepted === 15);
  await settled(customer);
  expect(receiver.repeats).toBe(0);
  const isAlarm = (line: Record<string, unknown>) =>
    line['customer'] === customer && line['level'] === 'error' && line['event'] === 'offsets_lost';
  await stage.delivery.waitForLog(isAlarm);
  expect(stage.delivery.logs.filter(isAlarm)).toHaveLength(1);
  expect(await stage.delivery.metrics()).toMatch(
    new RegExp(`offsets_lost\\w*{[^}]*customer="${customer}"[^}]*} [1-9]`),
  );
});

test('redelivering sends an event, or those of a time, once more under the same id', async () => {
  const { customer, receiver } = await customerWith('again', 3);
  const replays = async () => {
    const logged = (await stage.read(ATTEMPTS_TOPIC)).map(({ value }) => value && decodeAttempts(value));
    const ours = logged.flatMap((batch) => (batch?.customer === customer ? batch.attempts : []));
    return ours.filter((attempt) => attempt.replayId !== undefined);
  };
  const id = receiver.requests[1]?.id ?? '';
  const { replayId } = await redeliver(stage.operations, customer, { kind: 'event', eventId: id });
  await receiver.waitFor(({ requests }) => requests.length === 4);
  expect(receiver.requests.at(-1)?.id).toBe(id);
  expect(await eventually(replays, ({ length }) => length > 0)).toEqual([
    expect.objectContaining({ eventId: id, replayId, outcome: 'delivered' }),
  ]);

  const all = await redeliver(stage.operations, customer, { kind: 'range', toMs: Date.now() + 60_000 });
  expect(all.events).toBe(3);
  await receiver.waitFor(({ requests }) => requests.length === 7);
  await settled(customer);
  expect(await reconciled(customer)).toMatchObject({ written: 3, delivered: 3, deliveredAgain: 3 });
  await expect(redeliver(stage.operations, customer, { kind: 'event', eventId: 'evt_none' })).rejects.toMatchObject({
    code: 'DB_NOT_FOUND',
  });
});

test('dead letters are redriven by reason, each once, and never lost on the way', async () => {
  const { customer, receiver } = await customerWith('redriven', 3, () => ({ status: 400 }));
  receiver.script = () => ({});
  const internal = { 'event-id': 'evt_other', 'event-type': 'root-cause', 'dead-letter-reason': 'internal' };
  const [letter] = await stage.read(deadTopic(customer));
  const other = { topic: deadTopic(customer), key: 'evt_other', value: letter?.value ?? null, headers: internal };
  await stage.operations.producer.send([other]);
  expect(await reconciled(customer)).toMatchObject({ dead: 3, deadByReason: { refused: 3 } });

  // Kafka refuses the copies: no tombstone may be written.
  const refuse = async () => Promise.reject(new Error('no broker'));
  const cutOff = {
    ...stage.operations,
    producer: { send: refuse, sendOne: refuse, connect: refuse, disconnect: refuse },
  };
  await eventually(
    () => stage.read(deadTopic(customer)),
    ({ length }) => length === 4,
  );
  await expect(redriveDeadLetters(cutOff, customer, { reasons: ['refused'] })).rejects.toThrow('no broker');

  const redriven = await redriveDeadLetters(stage.operations, customer, { reasons: ['refused'] });
  expect(redriven).toEqual({ taken: 3, stayed: 0 });
  await receiver.waitFor(({ accepted }) => accepted === 3);
  expect(receiver.accepted).toBe(3);
  expect(await redriveDeadLetters(stage.operations, customer, { reasons: ['refused'] })).toEqual({
    taken: 0,
    stayed: 0,
  });
  expect(await redriveDeadLetters(stage.operations, customer)).toEqual({ taken: 1, stayed: 0 });
  await receiver.waitFor(({ accepted }) => accepted === 4);
  await settled(customer);
  expect(await reconciled(customer)).toMatchObject({ written: 3, delivered: 3, dead: 0, unaccounted: [] });
});

test('the quarantine is redriven to the intake under the same event id', async () => {
  const { customer, receiver } = await customerWith('mended', 1);
  const value = await stage.upstream.encode(rootCauseEvent({ company: customer }));
  const record = { offset: 0, timestampMs: 0, key: Buffer.from('k'), value, headers: { 'event-id': 'mended-1' } };
  const why = { reason: 'unknown-schema', detail: 'not yet', source: `${stage.upstream.topic}/0/999` } as const;
  const quarantined = quarantineRecord(record, 'root-cause', why);
  const empty = { ...quarantined, key: `${stage.upstream.topic}/0/998`, value: '' };
  await stage.operations.producer.send([quarantined, empty]);
  expect(await redriveQuarantine(stage.operations, { reasons: ['unknown-schema'] })).toMatchObject({
    taken: 1,
    stayed: 1,
  });
  await receiver.waitFor(({ accepted }) => accepted === 2);
  expect(receiver.requests.at(-1)?.id).toBe('mended-1');
  expect(await redriveQuarantine(stage.operations)).toMatchObject({ taken: 0, stayed: 1 });
});
