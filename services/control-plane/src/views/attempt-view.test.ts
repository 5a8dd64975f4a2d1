import { createLogger } from '@databridge/kernel/log';
import { type Attempt, encodeAttempts } from '@databridge/schemas/records/attempts';
import { AttemptView } from './attempt-view.ts';

const kafka = { brokers: ['127.0.0.1:1'], clientId: 'test', log: createLogger('test', 'silent') };

function viewOf(maxAttempts: number, customers: Readonly<Record<string, readonly Partial<Attempt>[]>>): AttemptView {
  const view = new AttemptView(kafka, { maxAttempts, backMs: 0 }, 0);
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
  view.take({ records: [...records, strange] });
  return view;
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
  expect(timesOf({ beforeId: newest?.id })).toEqual([20, 10]);
  // Values are bound, never spliced in.
  expect(timesOf({ eventId: "a' OR '1'='1" })).toEqual([]);
});

test('forgets the oldest beyond its bound', () => {
  const view = viewOf(500, { acme: Array.from({ length: 2_000 }, (_, at) => ({ at })) });
  const found = view.find({ customer: 'acme', limit: 5_000 });
  expect([found.length, found[0]?.attempt.at, found.at(-1)?.attempt.at]).toEqual([500, 1_999, 1_500]);
});
