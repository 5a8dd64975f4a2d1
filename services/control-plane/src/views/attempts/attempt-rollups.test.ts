import { AttemptRollups } from './attempt-rollups.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

test('counts the last 24 hours, and nothing that is no attempt at an event', () => {
  const rollups = new AttemptRollups();
  const nowMs = 100 * HOUR_MS;
  const add = (hoursAgo: number, outcome: 'delivered' | 'retry' | 'skipped', test?: true) =>
    rollups.add('acme', { at: nowMs - hoursAgo * HOUR_MS, outcome, durationMs: 5, ...(test && { test }) }, nowMs);
  add(30, 'delivered');
  add(23, 'delivered');
  add(2, 'retry');
  add(1, 'delivered');
  add(1, 'skipped');
  add(1, 'delivered', true);
  expect(rollups.of('acme', nowMs)).toEqual({ delivered: 2, retry: 1 });
  expect(rollups.lastDelivered('acme')).toBe(nowMs - HOUR_MS);
  expect(rollups.lastDelivered('other')).toBeUndefined();
  expect(rollups.of('acme', nowMs + 2 * HOUR_MS)).toEqual({ delivered: 1, retry: 1 });
  expect(rollups.of('acme', nowMs + 48 * HOUR_MS)).toEqual({});
  expect(rollups.of('other', nowMs)).toEqual({});
});

test('a series has a step for each stretch, with counts by outcome and percentiles within a fifth', () => {
  const rollups = new AttemptRollups();
  const fromMs = 100 * HOUR_MS;
  const toMs = fromMs + HOUR_MS;
  for (let durationMs = 1; durationMs <= 1_000; durationMs++)
    rollups.add('acme', { at: fromMs + 61_000, outcome: 'delivered', durationMs }, toMs);
  rollups.add('acme', { at: fromMs + 59 * MINUTE_MS, outcome: 'retry', durationMs: 90_000 }, toMs);
  const series = rollups.series('acme', { fromMs: fromMs + 1, toMs, stepMs: 15 * MINUTE_MS });
  expect(series.map(({ atMs }) => (atMs - fromMs) / MINUTE_MS)).toEqual([0, 15, 30, 45]);
  const [first, second, , last] = series;
  expect(first?.outcomes).toEqual({ delivered: 1_000 });
  for (const [found, exact] of [
    [first?.p50Ms, 500],
    [first?.p95Ms, 950],
    [first?.p99Ms, 990],
  ] as const)
    expect(Math.abs((found ?? 0) / exact - 1)).toBeLessThan(0.2);
  expect(second).toEqual({ atMs: fromMs + 15 * MINUTE_MS, outcomes: {} });
  expect(last?.outcomes).toEqual({ retry: 1 });
  expect(rollups.series('nobody', { fromMs, toMs, stepMs: HOUR_MS })).toEqual([{ atMs: fromMs, outcomes: {} }]);
});
