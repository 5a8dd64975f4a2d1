/** Fresh events first: what a lane reads and sends after an outage, without Kafka. */
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { CommittedOffset, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { HEADER } from '@databridge/schemas/records/headers';
import { ByteBudget } from './byte-budget.ts';
import { FlowControl } from './flow-control.ts';
import { FRESH_FIRST_LIMITS } from './fresh-first.ts';
import { LaneSet } from './lane-set.ts';

const MAIN = { topic: 'delivery.acme', partition: 0 };
const RETRY = { topic: 'delivery.acme.retry.1s', partition: 0 };
const delayMsOf = (topic: string) => (topic.includes('.retry.') ? 1_000 : 0);

function recordAt(offset: number): ConsumedRecord {
  const headers = {
    [HEADER.source]: `intake/0/${offset}`,
    [HEADER.eventId]: String(offset),
    [HEADER.eventType]: 'any',
  };
  return { offset, timestampMs: Date.UTC(2026, 0, 1), key: null, value: Buffer.alloc(10), headers };
}

/** A log of `end` records, and a worker that reads it, 100 records per fetch. */
class Log {
  end: number;
  readonly clock = new ManualClock();
  lanes: LaneSet;
  share: number | undefined;
  position = 0;
  isPaused = false;
  readonly #limits: typeof FRESH_FIRST_LIMITS;
  readonly #flow = new FlowControl({
    pause: () => {
      this.isPaused = true;
    },
    resume: () => {
      this.isPaused = false;
    },
    seek: (_at, offset) => {
      this.position = offset;
    },
  });

  constructor(end: number, share: number | undefined, limits: Partial<typeof FRESH_FIRST_LIMITS> = {}) {
    this.end = end;
    this.share = share;
    this.#limits = { ...FRESH_FIRST_LIMITS, ...limits };
    this.lanes = this.restart([]);
  }

  restart(committed: readonly CommittedOffset[]): LaneSet {
    const membership: Membership = {
      ...{ memberId: 'a', assignment: [MAIN, RETRY], isCurrent: true, continues: undefined },
      hasLease: () => true,
    };
    const freshFirst = { backlogShare: () => this.share, limits: this.#limits };
    this.lanes = new LaneSet(membership, new ByteBudget(100_000_000).join(), this.clock, freshFirst);
    this.position = this.lanes.restore(committed, delayMsOf)[0]?.offset ?? 0;
    this.isPaused = false;
    return this.lanes;
  }

  get main() {
    const lane = this.lanes.laneOf(MAIN);
    if (lane === undefined) throw new Error('there is a main lane');
    return lane;
  }

  /** Fetches while there is anything to fetch; at most so often. */
  fetch(times = 1_000): void {
    for (let i = 0; i < times && !this.isPaused && this.position < this.end; i++) {
      const from = this.position;
      const nextOffset = Math.min(from + 100, this.end);
      const records = Array.from({ length: nextOffset - from }, (_, n) => recordAt(from + n));
      this.position = nextOffset;
      this.lanes.accept({ ...MAIN, from, records, nextOffset, highWatermark: this.end });
      this.#flow.adjust(this.main);
    }
  }

  /** Takes and finishes `count` records, and returns their offsets. */
  deliver(count: number): number[] {
    return Array.from({ length: count }, () => {
      const next = this.lanes.offer(this.clock.monotonicMs());
      if (typeof next !== 'object') return -1;
      this.lanes.take(next);
      this.lanes.done(next);
      this.#flow.adjust(this.main);
      return next.offset;
    });
  }

  commit(): CommittedOffset[] {
    return this.lanes.commitPoints('all').map(({ lane, point }) => {
      lane.tracker.markCommitted(point);
      return { topic: lane.topic, partition: lane.partition, ...point };
    });
  }
}

test('after an outage what is new goes first, and the backlog beside it, oldest first, at its share', () => {
  const log = new Log(50_000, 0.2);
  log.fetch();
  log.end += 20;
  log.fetch();
  const sent = log.deliver(25);
  expect(sent.filter((offset) => offset >= 50_000)).toEqual(Array.from({ length: 20 }, (_, n) => 50_000 + n));
  expect(sent.filter((offset) => offset < 50_000)).toEqual([0, 1, 2, 3, 4]);
  // Without news, all goes to the backlog.
  expect(log.deliver(100)).toEqual(Array.from({ length: 100 }, (_, n) => 5 + n));
});

test('a backlog that grew while nothing was sent is jumped over as soon as a part of memory is free', () => {
  const log = new Log(0, 0.2);
  while (log.end < 4_000) {
    log.end += 50;
    log.fetch();
  }
  expect(log.isPaused).toBe(true);
  log.deliver(600);
  log.fetch();
  log.end += 1;
  log.fetch();
  expect(log.deliver(3)).toContain(4_000);
});

test('everything is delivered once, however backlog and news mix, and the offset is committed to the end', () => {
  const log = new Log(7_000, 0.5);
  const sent: number[] = [];
  for (let round = 0; round < 400; round++) {
    log.fetch(3);
    sent.push(...log.deliver(40).filter((offset) => offset >= 0));
    if (round < 100) log.end += 30;
  }
  expect(sent.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  expect(log.commit()[0]).toMatchObject({ offset: 10_000, metadata: '' });
});

test('a restart goes on in both places: nothing that is done comes again, nothing is passed over', () => {
  const log = new Log(30_000, 0.5);
  log.fetch();
  log.end += 50;
  log.fetch();
  const before = log.deliver(60);
  const committed = log.commit();
  expect(committed[0]).toMatchObject({ offset: before.filter((offset) => offset < 30_000).length });
  log.restart(committed);
  log.end += 10;
  const after: number[] = [];
  for (let round = 0; after.length < 30_000 && round < 2_000; round++) {
    log.fetch(5);
    after.push(...log.deliver(50).filter((offset) => offset >= 0));
  }
  expect(after.slice(0, 300).filter((offset) => offset >= 30_050)).toHaveLength(10);
  expect([...before, ...after].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30_060 }, (_, n) => n));
});

test('what came during an outage is backlog when it ends, what comes then is fresh', () => {
  const log = new Log(0, 0.2);
  log.fetch();
  while (log.end < 3_000) {
    log.end += 50;
    log.fetch();
  }
  log.lanes.noteOutageEnd();
  log.deliver(1);
  log.fetch();
  log.end += 2;
  log.fetch();
  expect(log.deliver(2)).toEqual([3_000, 3_001]);
});

test('what waited in memory for longer than a minute is backlog, and makes room for what is new', () => {
  const log = new Log(900, 0.2);
  log.fetch();
  log.clock.advance(FRESH_FIRST_LIMITS.freshForMs + 1);
  log.end += 5;
  log.fetch();
  expect(log.deliver(6).filter((offset) => offset >= 900)).toEqual([900, 901, 902, 903, 904]);
});

test('a limited number of stretches are left behind: after that, reading continues in order', () => {
  const log = new Log(0, 0.5, { jumpAtRecords: 100, maxGaps: 2 });
  log.fetch();
  for (let outage = 0; outage < 4; outage++) {
    log.end += 5_000;
    log.fetch(1);
    log.position = log.main.tracker.end;
    log.fetch(1);
  }
  expect(log.main.tracker.gapCount).toBe(2);
});

test('memory has a bounded part of backlog and news: reading pauses, and goes on when there is room', () => {
  const log = new Log(100_000, 0.2);
  log.fetch();
  for (let i = 0; i < 10; i++) {
    log.end += 500;
    log.fetch();
  }
  expect(log.isPaused).toBe(true);
  expect(log.main.bufferedCount).toBeLessThan(2_500);
  log.deliver(2_000);
  expect(log.isPaused).toBe(false);
});

test('in order, and in order again when the setting is taken back', () => {
  const log = new Log(5_000, undefined);
  log.fetch();
  log.end += 10;
  log.fetch();
  expect(log.deliver(3)).toEqual([0, 1, 2]);
  log.share = 0.2;
  log.deliver(600);
  log.fetch(2);
  log.end += 10;
  log.fetch();
  log.share = undefined;
  const sent: number[] = [];
  for (let round = 0; round < 200; round++) {
    sent.push(...log.deliver(50).filter((offset) => offset >= 0));
    log.fetch(5);
  }
  expect(sent.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 5_020 - 603 }, (_, n) => 603 + n));
});

test('a rate token that is not there changes no turn', () => {
  const log = new Log(5_000, 0.5);
  log.fetch();
  log.end += 50;
  log.fetch();
  // Each offer but every second is refused: what is offered stays the same until it is taken.
  const sent = Array.from({ length: 20 }, () => {
    log.lanes.offer(log.clock.monotonicMs());
    return log.deliver(1)[0] as number;
  });
  expect(sent.filter((offset) => offset >= 5_000)).toHaveLength(10);
});
