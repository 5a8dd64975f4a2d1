/** A worker that comes or goes moves the customers that must move, and no others; a customer's lanes never split. */
import { oneMemberAssigner } from '@databridge/kernel/kafka/groups/assigners';
import { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import { partitionOfKey } from '@databridge/kernel/kafka/producing/murmur2';
import { createLogger } from '@databridge/kernel/log';
import { decodeStatus } from '@databridge/schemas/records/status';
import {
  deliveryGroup,
  deliveryTopic,
  retryTopic,
  STATUS_TOPIC,
  SUBSCRIPTIONS_PARTITIONS,
} from '@databridge/schemas/records/topics';
import kafkajs from 'kafkajs';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { JumpClock } from '../harness/jump-clock.ts';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { platform } from '../harness/platform.ts';
import { Receiver } from '../harness/receiver.ts';
import { startDeliveryHere } from '../harness/services/delivery-here.ts';
import type { ServiceProcess } from '../harness/services/processes.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  // A machine that stands still for a while must not end a session: nobody may rejoin for that.
  stage = await Stage.start({ delivery: { SESSION_TIMEOUT: '30s', WORKER_NAME: 'first', COMMIT_INTERVAL: '50ms' } });
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

/** Who runs a customer, by the client ids of its group's members and what each is assigned. */
async function lanesByWorker(customer: string): Promise<Map<string, string[]>> {
  const admin = upstreamKafka(platform().brokers).admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([deliveryGroup(customer)]);
    const members = groups[0]?.state === 'Stable' ? groups[0].members : [];
    return new Map(
      members.map(({ clientId, memberAssignment }) => {
        const assigned = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {};
        return [clientId.replace(/^delivery-/, ''), Object.keys(assigned).toSorted()] as const;
      }),
    );
  } finally {
    await admin.disconnect();
  }
}

/** Resolves when each customer has one owner, and nobody stands by. */
async function owners(customers: readonly string[]): Promise<Record<string, string>> {
  return Object.fromEntries(
    await Promise.all(
      customers.map(async (customer) => {
        const lanes = await eventually(
          () => lanesByWorker(customer),
          (found) => found.size === 1 && [...found.values()].every((topics) => topics.length > 0),
          60_000,
          200,
        );
        return [customer, [...lanes.keys()][0] as string] as const;
      }),
    ),
  );
}

/** So many names in each half of the subscriptions topic: a worker that takes half of it over gets some, but not all. */
function halves(count: number, prefix: string): string[] {
  const names: [string[], string[]] = [[], []];
  while (names.some(({ length }) => length < count)) {
    const name = freshName(prefix);
    const half = partitionOfKey(Buffer.from(name), SUBSCRIPTIONS_PARTITIONS) < SUBSCRIPTIONS_PARTITIONS / 2 ? 0 : 1;
    if (names[half].length < count) names[half].push(name);
  }
  return names.flat();
}

const rejoinsOf = (worker: ServiceProcess, customer: string) =>
  worker.logs.filter((line) => line['customer'] === customer && line.msg.includes('group membership lost')).length;

test('a second worker takes its share, the others stay and keep running; when it leaves, they get them back', async () => {
  const customers = halves(3, 'moving');
  const receiver = await Receiver.start();
  for (const customer of customers) await stage.subscribe(customer, receiver.url);
  const first = stage.delivery;
  expect(new Set(Object.values(await owners(customers)))).toEqual(new Set(['first']));

  const second = await stage.anotherWorker({ WORKER_NAME: 'second' });
  await stage.upstream.produce(customers.flatMap((customer) => events(customer, 20)));
  const shared = await eventually(
    () => owners(customers),
    (found) => Object.values(found).includes('second'),
  );
  const stayed = customers.filter((customer) => shared[customer] === 'first');
  // Their group never rebalanced: what runs elsewhere is not their business.
  expect(stayed.map((customer) => rejoinsOf(first, customer))).toEqual(stayed.map(() => 0));
  expect(stayed.length).toBeGreaterThan(0);
  await receiver.waitFor(({ accepted }) => accepted === 120);

  expect(await second.stop()).toBe(0);
  await stage.upstream.produce(customers.flatMap((customer) => events(customer, 20)));
  await receiver.waitFor(({ accepted }) => accepted === 240);
  expect(new Set(Object.values(await owners(customers)))).toEqual(new Set(['first']));
  expect(stayed.map((customer) => rejoinsOf(first, customer))).toEqual(stayed.map(() => 0));
  expect(receiver.repeats).toBe(0);
});

test('all lanes of a customer belong to one worker; another member is refused while it runs', async () => {
  const customer = freshName('whole');
  const receiver = await Receiver.start((_request, nth) => (nth === 1 ? { status: 503 } : {}));
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce(events(customer, 1));
  await receiver.waitFor(({ accepted }) => accepted === 1);
  const failures: Error[] = [];
  const settings = { brokers: platform().brokers, clientId: 'other', log: createLogger('other', 'silent') };
  const other = new GroupConsumer(settings, {
    groupId: deliveryGroup(customer),
    topics: [deliveryTopic(customer)],
    assigners: [oneMemberAssigner],
    onJoined: () => undefined,
    onLost: () => undefined,
    onBatch: () => undefined,
    onFailure: (error) => failures.push(error),
  });
  void other.start();
  await eventually(
    async () => failures.length,
    (count) => count > 0,
  );
  await other.stop();
  // The retry lane, which the first failure made, is its own as well.
  const lanes = [deliveryTopic(customer), retryTopic(customer, '1s')];
  expect(Object.fromEntries(await lanesByWorker(customer))).toEqual({ first: lanes });
});

test('what a crash between retry topic and commit writes twice is sent once: the fork is dropped', async () => {
  const customer = freshName('forked');
  const count = 20;
  const receiver = await Receiver.start((_request, nth) => (nth <= 2 ? { status: 503 } : {}));
  // Commits never come in time: whatever was written to the retry topic is written again after the crash.
  await stage.delivery.stop();
  // No retry is due before the next worker has written its own.
  const slow = { COMMIT_INTERVAL: '10m', BREAKER_MIN_ATTEMPTS: '1000', RETRY_PLAN: '1m*3', SESSION_TIMEOUT: '6s' };
  const crashing = await stage.restartDelivery({ ...slow, WORKER_NAME: 'crashes' });
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce(events(customer, count));
  await eventually(
    // The worker creates the topic when it starts the customer.
    async () => (await stage.read(retryTopic(customer, '1m')).catch(() => [])).length,
    (written) => written === count,
  );
  await crashing.kill();
  const clock = new JumpClock();
  const metrics = await startDeliveryHere(stage, clock, { ...slow, COMMIT_INTERVAL: '50ms', WORKER_NAME: 'next' });
  const forks = async () => (await metrics.getSingleMetric('databridge_delivery_forks_total')?.get())?.values[0];
  await eventually(forks, (dropped) => dropped?.value === count);
  clock.jump(60_000);
  await receiver.waitFor(({ accepted }) => accepted === count);

  // The first attempt twice: it was in flight or finished at the crash. The retry was written twice, and sent once.
  expect(await stage.read(retryTopic(customer, '1m'))).toHaveLength(2 * count);
  for (const id of receiver.timesById.keys()) {
    const attempts = receiver.requestsFor(id).map(({ headers }) => headers['databridge-attempt']);
    expect(attempts).toEqual(['1', '1', '2']);
  }
  const status = (await stage.read(STATUS_TOPIC)).filter(({ key }) => key?.toString() === customer).at(-1);
  expect(status?.value ? decodeStatus(status.value)?.disabledEpoch : undefined).toBeUndefined();
});
