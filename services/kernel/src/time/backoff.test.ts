import { backoffMs, KAFKA_BACKOFF } from './backoff.ts';

const limits = { firstMs: 100, longestMs: 5_000 };

test('the cap doubles with each failure in a row, up to the longest delay', () => {
  const caps = [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((failures) => backoffMs(failures, limits, () => 1));
  expect(caps).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
});

test('any delay up to the cap is possible, but none of 0', () => {
  expect(backoffMs(3, limits, () => 0.5)).toBe(200);
  expect(backoffMs(3, limits, () => 0)).toBe(1);
  const drawn = Array.from({ length: 1_000 }, () => backoffMs(4, KAFKA_BACKOFF));
  expect(Math.min(...drawn)).toBeGreaterThan(0);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(800);
  // Full jitter: the lower half is as likely as the upper one.
  expect(drawn.filter((delayMs) => delayMs <= 400).length).toBeGreaterThan(350);
});
