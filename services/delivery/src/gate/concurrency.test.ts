/** The number of requests in flight follows the capacity of the destination. */
import { Concurrency } from './concurrency.ts';

const FAST = { isOverloaded: false, isUnanswered: false, durationMs: 20 };
const OVERLOADED = { isOverloaded: true, isUnanswered: false, durationMs: 20 };

/**
 * Makes this many round trips, each with as many requests in flight as the limit allows. @returns the limit after each
 */
function roundTrips(concurrency: Concurrency, count: number, sign = FAST, nowMs = 0): number[] {
  return Array.from({ length: count }, () => {
    const inFlight = concurrency.limit(nowMs);
    for (let n = 0; n < inFlight; n++) concurrency.recordAnswer(sign, inFlight);
    return concurrency.limit(nowMs);
  });
}

test('a customer that starts has 32 requests in flight at most, then twice as many, then the square root more', () => {
  const concurrency = new Concurrency();
  expect(concurrency.limit(0)).toBe(32);
  expect(roundTrips(concurrency, 3)).toEqual([64, 72, 80]);
});

test('an endpoint that takes 19 s for each answer gets thousands of open requests only after most of an hour', () => {
  const concurrency = new Concurrency();
  const slow = { isOverloaded: false, isUnanswered: false, durationMs: 19_000 };
  expect(roundTrips(concurrency, (5 * 60) / 19, slow).at(-1)).toBeLessThan(300);
  expect(roundTrips(concurrency, (55 * 60) / 19, slow).at(-1)).toBeGreaterThan(8_000);
});

test('a limit that is not used up does not grow', () => {
  const concurrency = new Concurrency();
  for (let n = 0; n < 1_000; n++) concurrency.recordAnswer(FAST, 5);
  expect(concurrency.limit(0)).toBe(32);
});

test('"too much" halves it once a round trip, down to 1; a few errors do not', () => {
  const concurrency = new Concurrency();
  expect(roundTrips(concurrency, 6, OVERLOADED)).toEqual([16, 8, 4, 2, 1, 1]);
  const other = new Concurrency();
  for (let n = 0; n < 32; n++) other.recordAnswer(n < 3 ? OVERLOADED : FAST, 32);
  expect(other.limit(0)).toBe(64);
});

test('without answers it shrinks too, but an event that gets none does not stop the others', () => {
  const concurrency = new Concurrency();
  const unanswered = { isOverloaded: false, isUnanswered: true, durationMs: 20 };
  expect(roundTrips(concurrency, 5, unanswered)).toEqual([16, 8, 4, 4, 4]);
  expect(roundTrips(concurrency, 2, FAST)).toEqual([8, 16]);
  const recovering = new Concurrency();
  recovering.recover(0);
  expect(roundTrips(recovering, 2, unanswered)).toEqual([1, 1]);
});

test('answers that take more than twice as long as in the best of times shrink it, below half a second they never do', () => {
  const concurrency = new Concurrency();
  roundTrips(concurrency, 1, { isOverloaded: false, isUnanswered: false, durationMs: 400 });
  expect(roundTrips(concurrency, 2, { isOverloaded: false, isUnanswered: false, durationMs: 1_000 })).toEqual([48, 36]);
  const fast = new Concurrency();
  roundTrips(fast, 1, { isOverloaded: false, isUnanswered: false, durationMs: 1 });
  expect(roundTrips(fast, 1, { isOverloaded: false, isUnanswered: false, durationMs: 450 })).toEqual([72]);
});

test('a destination that stays slower is taken as it is after a while', () => {
  const concurrency = new Concurrency();
  roundTrips(concurrency, 1, { isOverloaded: false, isUnanswered: false, durationMs: 400 });
  const limits = roundTrips(concurrency, 200, { isOverloaded: false, isUnanswered: false, durationMs: 1_000 });
  expect(Math.min(...limits)).toBeLessThan(10);
  expect(limits.at(-1)).toBeGreaterThan(64);
});

test('after trouble it begins with 1, and doubles at most once a second however fast the answers are', () => {
  const concurrency = new Concurrency();
  concurrency.recover(5_000);
  expect(concurrency.limit(5_000)).toBe(1);
  expect(roundTrips(concurrency, 10, FAST, 5_999).at(-1)).toBe(1);
  expect(concurrency.risesAtMs(5_999)).toBe(6_000);
  expect(concurrency.limit(6_000)).toBe(2);
  const bySecond = [6_000, 7_000, 8_000, 9_000].map((nowMs) => roundTrips(concurrency, 3, FAST, nowMs).at(-1));
  expect(bySecond).toEqual([2, 4, 8, 16]);
  expect(concurrency.risesAtMs(60_000)).toBeUndefined();
});

test('another destination begins as a new one', () => {
  const concurrency = new Concurrency();
  concurrency.recover(0);
  concurrency.forget();
  expect(concurrency.limit(0)).toBe(32);
});
