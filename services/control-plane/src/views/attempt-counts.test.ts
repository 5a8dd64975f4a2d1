import { AttemptCounts } from './attempt-counts.ts';

const HOUR_MS = 3_600_000;

test('counts the last 24 hours, and nothing that is no attempt at an event', () => {
  const counts = new AttemptCounts();
  const nowMs = 100 * HOUR_MS;
  const add = (hoursAgo: number, outcome: 'delivered' | 'retry' | 'skipped', test?: true) =>
    counts.add('acme', { at: nowMs - hoursAgo * HOUR_MS, outcome, ...(test && { test }) }, nowMs);
  add(30, 'delivered');
  add(23, 'delivered');
  add(2, 'retry');
  add(1, 'delivered');
  add(1, 'skipped');
  add(1, 'delivered', true);
  expect(counts.of('acme', nowMs)).toEqual({ delivered: 2, retry: 1 });
  expect(counts.of('acme', nowMs + 2 * HOUR_MS)).toEqual({ delivered: 1, retry: 1 });
  expect(counts.of('acme', nowMs + 48 * HOUR_MS)).toEqual({});
  expect(counts.of('other', nowMs)).toEqual({});
});
