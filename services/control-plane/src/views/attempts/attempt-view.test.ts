import { createLogger } from '@databridge/kernel/log';
import { type Attempt, type AttemptBatch, encodeAttempts, withoutAttempts } from '@databridge/schemas/records/attempts';
import { AttemptView } from './attempt-view.ts';

const kafka = { brokers: ['127.0.0.1:1'], clientId: 'test', log: createLogger('test', 'silent') };

type Given = Readonly<Record<string, readonly Partial<Attempt>[]>>;

function viewOf(maxAttempts: number, customers: Given): AttemptView {
  const view = new AttemptView(kafka, { maxAttempts, backMs: 0 }, 0);
  take(view, customers);
  return view;
}

function take(view: AttemptView, customers: Given): void {
  const records = Object.entries(customers).map(([customer, given], offset) => {
    const attempts = given.map(
      (one): Attempt => ({
        ...{ eventId: 'e', attempt: 1, at: 0, durationMs: 1, outcome: 'delivered', lane: 'main' },
        ...one,
      }),
    );
    const value = Buffer.from(encodeAttempts({ customer, worker: 'w', attempts }));
    return { offset, timestampMs: 0, key: Buffer.from(customer), value, headers: {} };
  });
  const strange = { offset: 99, timestampMs: 0, key: null, value: Buffer.from('{'), headers: {} };
  view.take({ partition: 3, records: [...records, strange] });
}

test('finds by customer, event, outcome and time, the newest first', () => {
  const acme: Partial<Attempt>[] = [
    { eventId: 'a', at: 10, outcome: 'retry' },
    { eventId: 'a', at: 20 },
    { eventId: 'b', at: 30.5 },
  ];
  const view = viewOf(100, { acme, other: [{ eventId: 'a', at: 20 }] });
  const timesOf = (query: object) =>
    view.find({ customer: 'acme', limit: 10, ...query }).map(({ attempt }) => attempt.at);
  expect(timesOf({})).toEqual([30.5, 20, 10]);
  expect(timesOf({ eventId: 'a' })).toEqual([20, 10]);
  expect(timesOf({ outcome: 'retry' })).toEqual([10]);
  expect(timesOf({ fromMs: 20, toMs: 30 })).toEqual([20]);
  expect(timesOf({ limit: 1 })).toEqual([30.5]);
  const [newest] = view.find({ customer: 'acme', limit: 1 });
  expect(timesOf({ before: newest?.place })).toEqual([20, 10]);
  // Values are bound, never spliced in.
  expect(timesOf({ eventId: "a' OR '1'='1" })).toEqual([]);
});

test('an attempt is named by its place in the log; what came after a place is found again, by customer and of all', () => {
  const view = viewOf(100, { acme: [{ eventId: 'a' }, { eventId: 'b' }], other: [{ eventId: 'c' }] });
  const placesOf = (customer: string) => view.find({ customer, limit: 10 }).map(({ place }) => place);
  expect([placesOf('acme'), placesOf('other')]).toEqual([['3/0/1', '3/0/0'], ['3/1/0']]);
  const since = (after: string, query: { customer?: string; limit: number }) => {
    const { attempts, isWhole } = view.since(after, query);
    return [attempts.map(({ customer, attempt }) => `${customer} ${attempt.eventId}`), isWhole];
  };
  expect(since('3/0/0', { customer: 'acme', limit: 10 })).toEqual([['acme b'], true]);
  expect(since('3/0/0', { limit: 10 })).toEqual([['acme b', 'other c'], true]);
  expect(since('3/0/0', { limit: 1 })).toEqual([['acme b'], false]);
  expect(since('3/1/0', { limit: 1 })).toEqual([[], true]);
  // Of a control plane that reads further back, or made up.
  expect(since('7/7/7', { limit: 1 })).toEqual([[], false]);
  expect(view.find({ customer: 'acme', limit: 10, before: '7/7/7' })).toEqual([]);
});

test('forgets the oldest beyond its bound', () => {
  const view = viewOf(500, { acme: Array.from({ length: 2_000 }, (_, at) => ({ at })) });
  const found = view.find({ customer: 'acme', limit: 5_000 });
  expect([found.length, found[0]?.attempt.at, found.at(-1)?.attempt.at]).toEqual([500, 1_999, 1_500]);
});

test('a busy customer makes the view forget its own attempts, and nobody else’s', () => {
  const view = viewOf(1_000, {
    quiet: [{ eventId: 'old', at: 1 }],
    calm: Array.from({ length: 200 }, (_, at) => ({ at })),
  });
  for (let nth = 0; nth < 20; nth++)
    take(view, { busy: Array.from({ length: 500 }, (_, at) => ({ at: nth * 500 + at })) });
  const countOf = (customer: string) => view.find({ customer, limit: 10_000 }).length;
  expect([countOf('quiet'), countOf('calm')]).toEqual([1, 200]);
  // Up to 1,000 more than its share are deleted together.
  expect(countOf('busy')).toBeGreaterThanOrEqual(799);
  expect(countOf('busy')).toBeLessThanOrEqual(1_799);
  expect(view.find({ customer: 'busy', limit: 1 })[0]?.attempt.at).toBe(9_999);
});

test('long attempts count as several: memory is bounded, not rows', () => {
  const long = { answer: 'x'.repeat(3_000) };
  const view = viewOf(1_000, {
    short: Array.from({ length: 100 }, () => ({})),
    long: Array.from({ length: 1_000 }, () => long),
  });
  expect(view.find({ customer: 'short', limit: 1_000 }).length).toBe(100);
  expect(view.find({ customer: 'long', limit: 5_000 }).length).toBeLessThanOrEqual(180);
});

test('an attempt that cannot be stored is skipped, and those before and after it are kept', () => {
  const view = viewOf(100, { acme: [{ eventId: 'a' }, { eventId: 'b', at: 1e300 }, { eventId: 'c' }] });
  const idsOf = () => view.find({ customer: 'acme', limit: 10 }).map(({ attempt }) => attempt.eventId);
  expect(idsOf()).toEqual(['c', 'a']);
  take(view, { acme: [{ eventId: 'd' }] });
  expect(idsOf()).toEqual(['d', 'c', 'a']);
});

test('a batch that fails as a whole leaves the view as it was, and the next one is taken', () => {
  const view = viewOf(100, { acme: [{ eventId: 'a' }] });
  const broken = {
    get value(): never {
      throw new Error('broken');
    },
  };
  expect(() => view.take({ partition: 3, records: [broken as never] })).toThrow('broken');
  take(view, { acme: [{ eventId: 'b' }] });
  expect(view.find({ customer: 'acme', limit: 10 }).map(({ attempt }) => attempt.eventId)).toEqual(['b', 'a']);
});

test('attempts at an erased event go, those that are there and those that still come', () => {
  const erased = new Set<string>();
  const isErased = ({ source = '' }: Attempt) => erased.has(source);
  const view = new AttemptView(kafka, { maxAttempts: 100, backMs: 0, isErased }, 0);
  const given = {
    acme: [
      { eventId: 'a', source: 'in/0/1' },
      { eventId: 'b', source: 'in/0/2' },
    ],
  };
  const heard: string[] = [];
  take(view, given);
  view.listen(({ attempt }) => heard.push(attempt.eventId));
  erased.add('in/0/1');
  view.eraseAttempts();
  const ids = () => view.find({ customer: 'acme', limit: 10 }).map(({ attempt }) => attempt.eventId);
  expect(ids()).toEqual(['b']);
  take(view, given);
  expect(ids()).toEqual(['b', 'b']);
  expect(heard).toEqual(['b']);
  expect(view.events({ customer: 'acme', limit: 10 }).map(({ last }) => last.eventId)).toEqual(['b']);
});

test('what is left of a record that an erasure replaced is what was seen before, under the same places', () => {
  const view = viewOf(100, { acme: [{ eventId: 'gone' }, { eventId: 'a' }, { eventId: 'b' }] });
  const heard: string[] = [];
  view.listen(({ attempt }) => heard.push(attempt.eventId));
  const written = { customer: 'acme', worker: 'w', attempts: view.find({ customer: 'acme', limit: 9 }).reverse() };
  const attempts = written.attempts.map((one) => one.attempt);
  const rest = withoutAttempts({ ...written, attempts }, 0, ({ eventId }) => eventId === 'gone');
  const record = {
    offset: 40,
    timestampMs: 0,
    key: null,
    value: Buffer.from(encodeAttempts(rest as AttemptBatch)),
    headers: {},
  };
  view.take({ partition: 3, records: [record] });
  expect(heard).toEqual([]);
  const later = viewOf(100, {});
  later.take({ partition: 3, records: [record] });
  const placesIn = (one: AttemptView, eventId: string) =>
    one.find({ customer: 'acme', eventId, limit: 9 }).map(({ place }) => place);
  expect([placesIn(view, 'b'), placesIn(later, 'b'), placesIn(later, 'gone')]).toEqual([['3/0/2'], ['3/0/2'], []]);
});

test('events are chosen by when their latest attempt began, and by its outcome, whatever the clocks of workers say', () => {
  const acme: Partial<Attempt>[] = [
    { eventId: 'late', at: 5 },
    { eventId: 'retried', at: 10, outcome: 'retry' },
    { eventId: 'once', at: 20 },
    { eventId: 'retried', at: 30 },
    // The worker that made it has a clock that is slow.
    { eventId: 'late', at: 2, outcome: 'refused' },
  ];
  const view = viewOf(100, { acme });
  const idsOf = (query: object) =>
    view
      .events({ customer: 'acme', limit: 10, ...query })
      .map(({ last, attempts, firstAtMs }) => [...[last.eventId, attempts, firstAtMs]]);
  expect(idsOf({})).toEqual([
    ['late', 2, 2],
    ['retried', 2, 10],
    ['once', 1, 20],
  ]);
  expect(idsOf({ fromMs: 20 })).toEqual([
    ['retried', 2, 10],
    ['once', 1, 20],
  ]);
  expect(idsOf({ fromMs: 2, toMs: 30 })).toEqual([
    ['late', 2, 2],
    ['once', 1, 20],
  ]);
  expect(idsOf({ toMs: 30, outcomes: ['refused'] })).toEqual([['late', 2, 2]]);
  expect(idsOf({ outcomes: ['retry'] })).toEqual([]);
});
