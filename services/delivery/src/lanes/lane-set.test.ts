/** Lanes share what a customer has: tokens by turns, memory in equal parts; and none is carried over half-made. */
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { ConsumedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { HEADER } from '@databridge/schemas/records/headers';
import { ByteBudget } from './byte-budget.ts';
import { LaneOwnership } from './lane-ownership.ts';
import { LaneSet } from './lane-set.ts';

const MAIN = { topic: 'delivery.acme', partition: 0 };
const SECOND = { topic: 'delivery.acme', partition: 1 };
const RETRY = { topic: 'delivery.acme.retry.1s', partition: 0 };
const ALL = [MAIN, SECOND, RETRY];
const delayMsOf = (topic: string) => (topic.includes('.retry.') ? 1_000 : 0);

function membershipOf(assignment: readonly TopicPartition[], continues?: Membership) {
  const membership = { memberId: 'a', assignment, isCurrent: true, continues, hasLease: () => membership.isCurrent };
  return membership;
}

/** Records with the same event id have the same source: they are copies of one event. */
function record(offset: number, eventId: string, attempt = 0, bytes = 10, enableEpoch?: number): ConsumedRecord {
  const headers = {
    ...(eventId !== '' && { [HEADER.source]: `intake.${eventId}/0/0` }),
    ...(eventId !== '' && { [HEADER.eventId]: eventId }),
    [HEADER.eventType]: 'root-cause',
    ...(attempt > 0 && { [HEADER.attempt]: String(attempt) }),
    ...(enableEpoch !== undefined && { [HEADER.enableEpoch]: String(enableEpoch) }),
  };
  return { offset, timestampMs: Date.UTC(2026, 0, 1), key: null, value: Buffer.alloc(bytes), headers };
}

function batch(at: TopicPartition, records: ConsumedRecord[]) {
  const nextOffset = (records.at(-1)?.offset ?? -1) + 1;
  return { ...at, records, nextOffset, highWatermark: nextOffset };
}

function laneSet(clock = new ManualClock(), budget = new ByteBudget(1_000_000).join()) {
  const lanes = new LaneSet(membershipOf(ALL), budget, clock);
  lanes.restore([], delayMsOf);
  return lanes;
}

/** Takes `count` records, and returns their event ids. */
function take(lanes: LaneSet, count: number, clock: ManualClock): string[] {
  return Array.from({ length: count }, () => {
    const next = lanes.offer(clock.monotonicMs());
    if (typeof next !== 'object') return String(next);
    lanes.take(next);
    return next.facts.eventId;
  });
}

describe('tokens', () => {
  test('go to the main lane and to due retries alternately, however much waits in either', () => {
    const clock = new ManualClock();
    const lanes = laneSet(clock);
    lanes.accept(
      batch(
        RETRY,
        [1, 2, 3].map((offset) => record(offset, `retry-${offset}`, 1)),
      ),
    );
    lanes.accept(
      batch(
        MAIN,
        [1, 2, 3].map((offset) => record(offset, `main-${offset}`)),
      ),
    );
    // Nothing is due: all go to the main lane.
    expect(take(lanes, 1, clock)).toEqual(['main-1']);
    clock.advance(1_000);
    const taken = take(lanes, 5, clock);
    expect(taken.toSorted()).toEqual(['main-2', 'main-3', 'retry-1', 'retry-2', 'retry-3']);
    expect(taken.slice(0, 4).map((id) => id.startsWith('main'))).toEqual(
      taken[0]?.startsWith('main') ? [true, false, true, false] : [false, true, false, true],
    );
  });

  test('go to several partitions of the main lane in the order of arrival: no backlog starves another', () => {
    const clock = new ManualClock();
    const lanes = laneSet(clock);
    lanes.accept(
      batch(
        MAIN,
        [1, 2].map((offset) => record(offset, `first-${offset}`)),
      ),
    );
    clock.advance(1);
    lanes.accept(batch(SECOND, [record(1, 'second-1')]));
    clock.advance(1);
    lanes.accept(
      batch(
        MAIN,
        [3, 4].map((offset) => record(offset, `first-${offset}`)),
      ),
    );
    expect(take(lanes, 5, clock)).toEqual(['first-1', 'first-2', 'second-1', 'first-3', 'first-4']);
  });
});

describe('memory', () => {
  test('of a customer is shared in equal parts by its lanes that have records, and each may buffer one', () => {
    const bytes = new ByteBudget(16_000).join();
    const lanes = laneSet(new ManualClock(), bytes);
    lanes.accept(batch(MAIN, [record(1, 'a', 0, 4_000)]));
    const [main, , retry] = [...lanes.lanes];
    expect(main?.flowChange()).toBeUndefined();
    // Alone, it may buffer its floor of a half, and half of the other half.
    expect(bytes.laneBytes).toBe(12_000);
    lanes.accept(batch(RETRY, [record(1, 'b', 1, 20_000)]));
    expect(retry?.flowChange()).toBe('pause');
    lanes.accept(batch(MAIN, [record(2, 'c', 0, 4_000)]));
    expect(main?.flowChange()).toBe('pause');
    expect(bytes.laneBytes).toBe(6_000);
  });

  test('of one customer with a deep backlog leaves the others their floor', () => {
    const budget = new ByteBudget(100_000);
    const [greedy, modest] = [budget.join(), budget.join()];
    laneSet(new ManualClock(), greedy).accept(batch(MAIN, [record(1, 'a', 0, 90_000)]));
    const lanes = laneSet(new ManualClock(), modest);
    lanes.accept(batch(MAIN, [record(1, 'b', 0, 20_000)]));
    const [main] = [...lanes.lanes];
    expect(main?.flowChange()).toBeUndefined();
    lanes.accept(batch(MAIN, [record(2, 'c', 0, 4_500)]));
    expect(main?.flowChange()).toBe('pause');
  });
});

test('a main lane is full with a thousand records and has room again at half; a retry lane buffers more', () => {
  const clock = new ManualClock();
  const lanes = laneSet(clock, new ByteBudget(10_000_000).join());
  const many = Array.from({ length: 1_000 }, (_, n) => record(n, `e${n}`, 0, 1));
  lanes.accept(batch(MAIN, many));
  lanes.accept(
    batch(
      RETRY,
      many.map((one, n) => record(one.offset, `r${n}`, 1, 1)),
    ),
  );
  const [main, retry] = [lanes.laneOf(MAIN), lanes.laneOf(RETRY)];
  expect([main?.isFull, main?.hasRoom, retry?.isFull]).toEqual([true, false, false]);
  take(lanes, 499, clock);
  expect([main?.isFull, main?.hasRoom]).toEqual([false, false]);
  take(lanes, 1, clock);
  expect(main?.hasRoom).toBe(true);
});

describe('forks', () => {
  test('the same event and attempt a second time, in whatever lane, is done without being sent', () => {
    const lanes = laneSet();
    lanes.accept(batch(RETRY, [record(1, 'a', 1), record(2, 'a', 1), record(3, 'a', 2)]));
    expect(lanes.takeForks()).toBe(1);
    const [, , retry] = [...lanes.lanes];
    expect(retry?.bufferedCount).toBe(2);
    expect(retry?.tracker.incompleteCount).toBe(2);
  });

  test('two events with one event id are two events; a copy has the same source', () => {
    const lanes = laneSet();
    const of = (offset: number, source: string, replayId?: string) => {
      const { headers, ...rest } = record(offset, 'a');
      const replay = replayId === undefined ? {} : { [HEADER.replayId]: replayId };
      return { ...rest, headers: { ...headers, [HEADER.source]: source, ...replay } };
    };
    lanes.accept(
      batch(MAIN, [of(1, 'in/0/1'), of(2, 'in/0/2'), of(3, 'in/0/1'), of(4, 'in/0/1', 'r'), of(5, 'in/0/1', 'r')]),
    );
    expect(lanes.takeForks()).toBe(2);
    expect(lanes.laneOf(MAIN)?.bufferedCount).toBe(3);
  });

  test('records without a source, which fan-out did not write, are events of their own', () => {
    const lanes = laneSet();
    const foreign = (offset: number) => ({ ...record(offset, ''), headers: { [HEADER.eventId]: 'a' } });
    lanes.accept(batch(MAIN, [foreign(1), foreign(2)]));
    expect(lanes.takeForks()).toBe(0);
    const next = lanes.offer(0);
    expect(typeof next === 'object' && next.facts).toMatchObject({ eventId: 'a', source: 'delivery.acme/0/1' });
  });

  test('records that lack an event id are not one and the same', () => {
    const lanes = laneSet();
    lanes.accept(batch(MAIN, [record(1, ''), record(2, '')]));
    expect(lanes.takeForks()).toBe(0);
    expect(take(lanes, 2, new ManualClock())).toEqual(['delivery.acme/0/1', 'delivery.acme/0/2']);
  });
});

describe('a rejoin', () => {
  function ownership() {
    const options = { budget: new ByteBudget(1_000).join(), clock: new ManualClock() };
    return new LaneOwnership({ ...options, delayMsOf, history: [], onHistoryUsed: () => undefined });
  }

  test('that the same member makes goes on with what is held, and with lanes that were added', () => {
    const owner = ownership();
    const before = membershipOf([MAIN, SECOND]);
    expect(owner.joined(before, [{ ...MAIN, offset: 1, metadata: '' }])).toEqual([
      { ...MAIN, offset: 1 },
      { ...SECOND, offset: 0 },
    ]);
    owner.lanes?.accept(batch(MAIN, [record(1, 'a')]));
    before.isCurrent = false;
    owner.markLost();
    const after = membershipOf(ALL, before);
    expect(owner.joined(after, [{ ...MAIN, offset: 1, metadata: '' }])).toEqual([{ ...RETRY, offset: 0 }]);
    const next = owner.lanes?.offer(0);
    if (typeof next !== 'object') throw new Error('nothing is buffered');
    expect(next.facts.eventId).toBe('a');
    expect(owner.mayBeSent(next)).toBe(true);
    after.isCurrent = false;
    expect(owner.mayBeSent(next)).toBe(false);
  });

  test('as another member starts from what is committed, and ignores what is still in flight', async () => {
    const owner = ownership();
    const before = membershipOf([MAIN]);
    owner.joined(before, []);
    owner.lanes?.accept(batch(MAIN, [record(0, 'a'), record(1, 'b')]));
    const inFlight = owner.lanes?.offer(0);
    if (typeof inFlight !== 'object') throw new Error('nothing is buffered');
    owner.lanes?.take(inFlight);
    before.isCurrent = false;
    owner.markLost();
    const isOurs = owner.isOurs(inFlight);
    owner.joined(membershipOf([MAIN]), [{ ...MAIN, offset: 1, metadata: '' }]);
    expect(await isOurs).toBe(false);
    owner.lanes?.accept(batch(MAIN, [record(1, 'b')]));
    expect(owner.lanes?.offer(0)).toMatchObject({ offset: 1 });
  });
});

describe('an offset out of range', () => {
  test('further on in the log passes over what is gone, and what is in flight counts', () => {
    const lanes = laneSet();
    lanes.accept(batch(MAIN, [record(0, 'a')]));
    const inFlight = lanes.offer(0);
    if (typeof inFlight !== 'object') throw new Error('nothing is buffered');
    lanes.take(inFlight);
    lanes.jump(MAIN, 10);
    expect(lanes.owns(inFlight)).toBe(true);
    lanes.done(inFlight);
    expect(lanes.laneOf(MAIN)?.tracker.uncommitted()?.offset).toBe(10);
  });

  test('further back is another log: it is read from there, and results of the old one count for nothing', () => {
    const lanes = laneSet();
    lanes.accept(batch(MAIN, [record(5, 'a'), record(6, 'b')]));
    const inFlight = lanes.offer(0);
    if (typeof inFlight !== 'object') throw new Error('nothing is buffered');
    lanes.take(inFlight);
    lanes.jump(MAIN, 0);
    expect(lanes.owns(inFlight)).toBe(false);
    lanes.done(inFlight);
    // The same events, at other offsets: none of them is taken for a copy.
    lanes.accept(batch(MAIN, [record(0, 'a'), record(1, 'b')]));
    expect(lanes.takeForks()).toBe(0);
    expect(lanes.offer(0)).toMatchObject({ offset: 0 });
    expect(lanes.laneOf(MAIN)?.tracker.uncommitted()).toBeUndefined();
  });
});

test('a copy is dropped; a first attempt under a new epoch is none of the first attempt under the old one', () => {
  const clock = new ManualClock();
  const lanes = laneSet(clock);
  lanes.accept(batch(RETRY, [record(1, 'one', 1, 10, 0), record(2, 'one', 1, 10, 0)]));
  expect(lanes.takeForks()).toBe(1);
  clock.advance(1_000);
  const taken = lanes.offer(clock.monotonicMs());
  if (typeof taken !== 'object') throw new Error('the first is due');
  lanes.take(taken);
  // It was resumed, sent, failed, and its retry is read before it is done.
  lanes.accept(batch(RETRY, [record(3, 'one', 1, 10, 1)]));
  expect(lanes.takeForks()).toBe(0);
  lanes.done(taken);
  clock.advance(1_000);
  expect(lanes.offer(clock.monotonicMs())).toMatchObject({ offset: 3, facts: { eventId: 'one', enableEpoch: 1 } });
  expect(lanes.laneOf(RETRY)?.tracker.uncommitted()?.offset).toBe(3);
});

test('a test that comes too late is done, unsent, and in the way of nothing', () => {
  const clock = new ManualClock();
  clock.advance(60_000);
  const lanes = laneSet(clock);
  const sentAtMs = (agoMs: number) => clock.nowMs() - agoMs;
  const event = record(2, 'a');
  const testOf = (offset: number, agoMs: number) => ({
    ...record(offset, 'a'),
    timestampMs: sentAtMs(agoMs),
    headers: { ...event.headers, [HEADER.test]: '10000' },
  });
  lanes.accept(batch(MAIN, [testOf(0, 10_001), testOf(1, 10_000)]));
  const tests = lanes.takeTests();
  expect(tests.map(({ offset }) => offset)).toEqual([1]);
  for (const one of tests) lanes.done(one);
  lanes.accept(batch(MAIN, [event]));
  expect(take(lanes, 1, clock)).toEqual(['a']);
  expect(lanes.takeForks()).toBe(0);
});
