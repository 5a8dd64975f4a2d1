import fc from 'fast-check';
import { RateLimit } from './rate-limit.ts';

/** Takes as fast as it may until `untilMs`. @returns when each was sent */
function run(limit: RateLimit, fromMs: number, untilMs: number): number[] {
  const sentAtMs: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; ) {
    const waitMs = limit.take(nowMs);
    if (waitMs === 0) sentAtMs.push(nowMs);
    nowMs += waitMs;
  }
  return sentAtMs;
}

test('in no second are more sent than the limit and a tenth, and in the long run the limit is used', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), (ratePerSecond) => {
      const sentAtMs = run(new RateLimit(ratePerSecond, 0), 0, 10_000);
      let most = 0;
      for (const [i, startMs] of sentAtMs.entries()) {
        let last = i;
        while (last + 1 < sentAtMs.length && (sentAtMs[last + 1] as number) < startMs + 1_000) last++;
        most = Math.max(most, last - i + 1);
      }
      expect(most).toBeLessThanOrEqual(Math.ceil(ratePerSecond * 1.1) + 1);
      expect(sentAtMs.length).toBeGreaterThanOrEqual(ratePerSecond * 10 * 0.9);
      expect(sentAtMs.length).toBeLessThanOrEqual(ratePerSecond * 10 * 1.02 + 2);
    }),
    { numRuns: 25 },
  );
});

test('a fraction is one request in several seconds', () => {
  expect(run(new RateLimit(0.5, 0), 0, 10_000)).toHaveLength(5);
});

test('after a pause there is no burst of what was not used', () => {
  const limit = new RateLimit(10, 0);
  run(limit, 0, 1_000);
  expect(run(limit, 60_000, 61_000).length).toBeLessThanOrEqual(11);
});

test('without a limit nothing waits', () => {
  const limit = new RateLimit(undefined, 0);
  for (let i = 0; i < 10_000; i++) expect(limit.take(0)).toBe(0);
});

test('429 halves the rate, it climbs back step by step, and never above the stated limit', () => {
  const limit = new RateLimit(100, 0);
  run(limit, 0, 2_000);
  limit.slowDown(2_000);
  expect(limit.ratePerSecond).toBe(50);
  run(limit, 2_000, 5_000);
  expect(limit.ratePerSecond).toBeGreaterThan(50);
  expect(limit.ratePerSecond).toBeLessThan(100);
  run(limit, 5_000, 60_000);
  expect(limit.ratePerSecond).toBe(100);
});

test('the answers of one burst count once', () => {
  const limit = new RateLimit(100, 0);
  for (let i = 0; i < 20; i++) limit.slowDown(5_000);
  expect(limit.ratePerSecond).toBe(50);
});

test('without a stated limit, 429 makes one from what was sent, and time lifts it', () => {
  const limit = new RateLimit(undefined, 0);
  for (let i = 0; i < 200; i++) limit.take(100);
  limit.slowDown(200);
  expect(limit.ratePerSecond).toBe(100);
  expect(limit.take(201)).toBe(0);
  expect(limit.take(201)).toBeGreaterThan(0);
  run(limit, 1_000, 10_000);
  expect(limit.ratePerSecond).toBeGreaterThan(100);
});

test('another limit counts at once, and the slow-down after a 429 goes on', () => {
  const limit = new RateLimit(100, 0);
  limit.slowDown(2_000);
  limit.restate(100);
  expect(limit.ratePerSecond).toBe(50);
  limit.restate(200);
  expect(limit.ratePerSecond).toBe(50);
  limit.restate(20);
  expect(limit.ratePerSecond).toBe(20);
});

test('the lower of what is stated and what the destination allows counts, whichever changes', () => {
  const limit = new RateLimit(100, 0);
  limit.allow(30);
  limit.restate(200);
  expect(limit.ratePerSecond).toBe(30);
  limit.restate(10);
  expect(limit.ratePerSecond).toBe(10);
  limit.restate(undefined);
  expect(limit.ratePerSecond).toBe(30);
});
