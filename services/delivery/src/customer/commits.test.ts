import { setImmediate as turn } from 'node:timers/promises';
import type { CommittedOffset } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { systemClock } from '@databridge/kernel/time/clock';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { HEADER } from '@databridge/schemas/records/headers';
import { ByteBudget } from '../lanes/byte-budget.ts';
import { LaneSet } from '../lanes/lane-set.ts';
import { deliveryMetrics } from '../metrics.ts';
import { AttemptLog } from './attempt-log.ts';
import { CommitPace } from './commit-pace.ts';
import { Commits } from './commits.ts';

const MAIN = { topic: 'delivery.acme', partition: 0 };
const INTERVAL_MS = 200;
const STATUS_INTERVAL_MS = 15_000;
const log = createLogger('commits', 'silent');
const metrics = deliveryMetrics(
  createRegistry('commits'),
  { bufferedBytes: () => 0, customers: () => 0, customersWanted: () => 0, connections: () => 0 },
  {
    worker: 'w',
    clock: systemClock,
    eventTypes: ['root-cause'],
    shown: 'all',
    bufferedBytesLimit: 1,
    connectionsLimit: 1,
  },
);

test('records that are done while a commit fails by a rejoin are committed by the next owner of the lanes', async () => {
  const clock = new ManualClock();
  const membership = {
    memberId: 'a',
    assignment: [MAIN],
    isCurrent: true,
    continues: undefined,
    hasLease: () => true,
  };
  const rejoined = { ...membership, continues: membership };
  let lanes = new LaneSet(membership, new ByteBudget(1_000_000).join(), clock);
  lanes.restore([], () => 0);
  const committed: (readonly CommittedOffset[])[] = [];
  const statuses: number[] = [];
  const logged = Promise.withResolvers<void>();
  const producer = { send: () => logged.promise, connect: async () => undefined, disconnect: async () => undefined };
  const attempts = new AttemptLog(producer, 'acme', 'w');
  const commits = new Commits({
    clock,
    log,
    metrics,
    pace: new CommitPace(INTERVAL_MS, INTERVAL_MS),
    statusIntervalMs: STATUS_INTERVAL_MS,
    attempts,
    group: {
      async commit(of, offsets) {
        if (!of.isCurrent) throw new Error('the membership has ended');
        committed.push(offsets);
      },
    },
    lanes: () => lanes,
    writeStatus: async () => void statuses.push(clock.nowMs()),
    onCommitted: () => undefined,
  });
  const headers = (eventId: string) => ({ [HEADER.eventId]: eventId, [HEADER.eventType]: 'any' });
  const records = ['e0', 'e1'].map((eventId, offset) => {
    return { offset, timestampMs: clock.nowMs(), key: null, value: Buffer.from('x'), headers: headers(eventId) };
  });
  lanes.accept({ ...MAIN, records, nextOffset: 2, highWatermark: 2 });
  const finish = (eventId: string) => {
    const next = lanes.offer(clock.monotonicMs());
    if (typeof next !== 'object' || next.facts.eventId !== eventId) throw new Error(`${eventId} is not next`);
    lanes.take(next);
    lanes.done(next);
    commits.touch();
  };

  finish('e0');
  attempts.append({ eventId: 'e0', attempt: 1, at: 0, durationMs: 1, outcome: 'delivered', lane: 'main' });
  clock.advance(INTERVAL_MS);
  await turn();
  // The attempts are on their way to the log, and the commit waits for them.
  membership.isCurrent = false;
  const before = lanes;
  lanes = new LaneSet(rejoined, new ByteBudget(1_000_000).join(), clock);
  lanes.adopt(before);
  finish('e1');
  logged.resolve();
  await turn();
  expect(committed).toEqual([]);
  expect(lanes.uncommittedCount).toBe(2);

  clock.advance(INTERVAL_MS);
  await turn();
  expect(committed).toEqual([[{ ...MAIN, offset: 2, metadata: '' }]]);
  expect(lanes.uncommittedCount).toBe(0);

  // Nothing changed but the offsets: the status, which a group that lost its own goes on from, follows them.
  expect(statuses).toEqual([]);
  expect(clock.untilNextTimerMs()).toBe(STATUS_INTERVAL_MS);
  clock.advance(STATUS_INTERVAL_MS + INTERVAL_MS);
  await turn();
  expect(committed).toHaveLength(2);
  expect(statuses).toHaveLength(1);
  expect(clock.untilNextTimerMs()).toBeUndefined();
});

test('a status that waits for its first commit holds up no commit', async () => {
  const clock = new ManualClock();
  const membership = {
    memberId: 'a',
    assignment: [MAIN],
    isCurrent: true,
    continues: undefined,
    hasLease: () => true,
  };
  const lanes = new LaneSet(membership, new ByteBudget(1_000_000).join(), clock);
  let hasJoined = false;
  const committed: (readonly CommittedOffset[])[] = [];
  let statuses = 0;
  const producer = { send: async () => undefined, connect: async () => undefined, disconnect: async () => undefined };
  const commits = new Commits({
    clock,
    log,
    metrics,
    pace: new CommitPace(INTERVAL_MS, INTERVAL_MS),
    statusIntervalMs: STATUS_INTERVAL_MS,
    attempts: new AttemptLog(producer, 'acme', 'w'),
    group: { commit: async (_of, offsets) => void committed.push(offsets) },
    lanes: () => (hasJoined ? lanes : undefined),
    writeStatus: async () => void statuses++,
    onCommitted: () => undefined,
  });
  commits.writeStatusSoon();
  clock.advance(INTERVAL_MS);
  await turn();
  expect(committed).toEqual([]);

  lanes.restore([], () => 0);
  hasJoined = true;
  const headers = { [HEADER.eventId]: 'e0', [HEADER.eventType]: 'any' };
  const record = { offset: 0, timestampMs: clock.nowMs(), key: null, value: Buffer.from('x'), headers };
  lanes.accept({ ...MAIN, records: [record], nextOffset: 1, highWatermark: 1 });
  const next = lanes.offer(clock.monotonicMs());
  if (typeof next !== 'object') throw new Error('e0 is due');
  lanes.take(next);
  lanes.done(next);
  commits.touch();
  clock.advance(INTERVAL_MS);
  await turn();
  expect(committed).toEqual([[{ ...MAIN, offset: 1, metadata: '' }]]);
  expect(statuses).toBe(1);
});

test('a commit that fails is tried again, ever later and at most five seconds later, until it succeeds', async () => {
  const clock = new ManualClock();
  const membership = {
    memberId: 'a',
    assignment: [MAIN],
    isCurrent: true,
    continues: undefined,
    hasLease: () => true,
  };
  const lanes = new LaneSet(membership, new ByteBudget(1_000_000).join(), clock);
  lanes.restore([], () => 0);
  // Without jitter: the delay is the cap.
  jest.spyOn(Math, 'random').mockReturnValue(1);
  let isAway = true;
  let tries = 0;
  const producer = { send: async () => undefined, connect: async () => undefined, disconnect: async () => undefined };
  const commits = new Commits({
    clock,
    log,
    metrics,
    pace: new CommitPace(INTERVAL_MS, INTERVAL_MS),
    statusIntervalMs: STATUS_INTERVAL_MS,
    attempts: new AttemptLog(producer, 'acme', 'w'),
    group: {
      async commit() {
        tries++;
        if (isAway) throw new Error('the broker is away');
      },
    },
    lanes: () => lanes,
    writeStatus: async () => undefined,
    onCommitted: () => undefined,
  });
  commits.writeStatusSoon();
  clock.advance(INTERVAL_MS);
  await turn();
  for (const delayMs of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
    expect(clock.untilNextTimerMs()).toBe(delayMs);
    clock.advance(delayMs);
    await turn();
  }
  expect(tries).toBe(8);
  isAway = false;
  clock.advance(5_000);
  await turn();
  expect(tries).toBe(9);
  expect(commits.committed()).toHaveLength(1);

  // After a success the delays begin anew.
  isAway = true;
  commits.writeStatusSoon();
  clock.advance(INTERVAL_MS);
  await turn();
  expect(clock.untilNextTimerMs()).toBe(200);
});

test('a join commits what is done and writes a status that is due, and sets no timer if there is neither', async () => {
  const clock = new ManualClock();
  const membership = {
    memberId: 'a',
    assignment: [MAIN],
    isCurrent: true,
    continues: undefined,
    hasLease: () => true,
  };
  const first = new LaneSet(membership, new ByteBudget(1_000_000).join(), clock);
  first.restore([], () => 0);
  let lanes: LaneSet | undefined = first;
  const committed: (readonly CommittedOffset[])[] = [];
  let statuses = 0;
  const producer = { send: async () => undefined, connect: async () => undefined, disconnect: async () => undefined };
  const commits = new Commits({
    ...{ clock, log, metrics, pace: new CommitPace(INTERVAL_MS, INTERVAL_MS), statusIntervalMs: STATUS_INTERVAL_MS },
    attempts: new AttemptLog(producer, 'acme', 'w'),
    group: { commit: async (_of, offsets) => void committed.push(offsets) },
    lanes: () => lanes,
    writeStatus: async () => void statuses++,
    onCommitted: () => undefined,
  });
  commits.noteJoined();
  expect(clock.untilNextTimerMs()).toBeUndefined();

  const headers = { [HEADER.eventId]: 'e0', [HEADER.eventType]: 'any' };
  const records = [{ offset: 0, timestampMs: clock.nowMs(), key: null, value: Buffer.from('x'), headers }];
  first.accept({ ...MAIN, records, nextOffset: 1, highWatermark: 1 });
  const next = first.offer(clock.monotonicMs());
  if (typeof next !== 'object') throw new Error('e0 is not next');
  first.take(next);
  first.done(next);
  membership.isCurrent = false;
  lanes = new LaneSet(
    { ...membership, isCurrent: true, continues: membership },
    new ByteBudget(1_000_000).join(),
    clock,
  );
  lanes.adopt(first);
  commits.noteJoined();
  clock.advance(INTERVAL_MS);
  await turn();
  expect(committed).toEqual([[{ ...MAIN, offset: 1, metadata: '' }]]);
  expect(statuses).toBe(0);

  const rejoined = lanes;
  lanes = undefined;
  commits.writeStatusSoon();
  clock.advance(INTERVAL_MS);
  await turn();
  lanes = rejoined;
  commits.noteJoined();
  clock.advance(INTERVAL_MS);
  await turn();
  expect(statuses).toBe(1);
});
