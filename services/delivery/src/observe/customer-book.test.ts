import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { CustomerBook } from './customer-book.ts';
import type { CustomerLevels } from './customer-levels.ts';

const FINE: CustomerLevels = {
  waiting: new Map([['main', 3]]),
  ...{ oldestIntakeAtMs: undefined, failingSinceMs: undefined, lastSuccessAtMs: undefined, budget: undefined },
  ...{ disable: undefined, statedRate: undefined, effectiveRate: undefined, held: undefined },
  ...{ destination: 'https://acme.example', breaker: 'closed', isAskedToWait: false, inFlight: 0 },
};

const shownOf = (book: CustomerBook) => [...book.rows()].map(([labels]) => labels);

test('"troubled" shows who is in trouble and who was within the last hour; totals count everybody', () => {
  const clock = new ManualClock();
  const book = new CustomerBook(clock, 'troubled');
  let acme: CustomerLevels = FINE;
  book.of('acme').levels = () => acme;
  book.of('globex').levels = () => FINE;
  expect(shownOf(book)).toEqual([]);
  expect(book.totals.backlog).toEqual(new Map([['main', 6]]));

  acme = { ...FINE, failingSinceMs: clock.nowMs(), held: 'deauthorized' };
  expect(shownOf(book)).toEqual([',customer="acme"']);
  expect(book.totals.troubled).toMatchObject({ failing: 1, deauthorized: 1, breaker: 0 });

  acme = FINE;
  clock.advance(59 * 60_000);
  expect(shownOf(book)).toEqual([',customer="acme"']);
  clock.advance(2 * 60_000);
  expect(shownOf(book)).toEqual([]);
});

test('an event that waits for over a minute is trouble too', () => {
  const clock = new ManualClock();
  const book = new CustomerBook(clock, 'troubled');
  book.of('acme').levels = () => ({ ...FINE, oldestIntakeAtMs: clock.nowMs() - 61_000 });
  expect(shownOf(book)).toEqual([',customer="acme"']);
});

test('"none" shows nobody', () => {
  const book = new CustomerBook(new ManualClock(), 'none');
  book.of('acme').levels = () => ({ ...FINE, failingSinceMs: 1 });
  expect(shownOf(book)).toEqual([]);
  expect(book.totals.troubled.failing).toBe(1);
});

test('internal errors are counted for all customers, and stay counted when a customer leaves', () => {
  const book = new CustomerBook(new ManualClock(), 'none');
  book.of('acme').offsetsLost = 2;
  book.of('globex').deadLetters.internal = 1;
  expect(shownOf(book)).toEqual([]);
  expect(book.totals.faults).toEqual({ offsetsLost: 2, internalDeadLetters: 1 });
  book.drop('acme');
  book.drop('globex');
  book.of('acme').offsetsLost = 1;
  expect(shownOf(book)).toEqual([]);
  expect(book.totals.faults).toEqual({ offsetsLost: 3, internalDeadLetters: 1 });
});
