import { FilterShares, USUAL_WORK } from './filter-shares.ts';

const COSTLY = 2_000_000;

/** Asks in turns, for a second in which each customer has an event every millisecond. @returns how many were evaluated */
function evaluated(workOf: Record<string, number>): Record<string, number> {
  let nowMs = 0;
  const shares = new FilterShares(() => nowMs);
  const counts: Record<string, number> = {};
  for (; nowMs < 1_000; nowMs++) {
    for (const [customer, work] of Object.entries(workOf)) {
      if (!shares.mayAsk(customer)) continue;
      shares.recordUse(customer, work, work / 200_000);
      counts[customer] = (counts[customer] ?? 0) + 1;
    }
  }
  return counts;
}

test('a costly filter is evaluated for a third of the time, and usual ones always', () => {
  const { costly = 0, usual } = evaluated({ costly: COSTLY, usual: USUAL_WORK });
  expect(usual).toBe(1_000);
  const takesMs = (costly * COSTLY) / 200_000;
  expect(takesMs).toBeGreaterThan(300);
  // The one that is under way when the share is used up is finished.
  expect(takesMs).toBeLessThan(450);
});

test('of several costly ones each has an equal part, and one that came late has its own at once', () => {
  const counts = evaluated({ a: COSTLY, b: COSTLY, c: COSTLY / 4 });
  expect(counts['a']).toBeGreaterThanOrEqual(10);
  expect(Math.abs((counts['a'] ?? 0) - (counts['b'] ?? 0))).toBeLessThanOrEqual(10);
  expect(counts['c']).toBeGreaterThan(2 * (counts['a'] ?? 0));

  const shares = new FilterShares(() => 0);
  while (shares.mayAsk('hostile')) shares.recordUse('hostile', COSTLY, 10);
  expect(shares.mayAsk('late')).toBe(true);
});

test('on a machine that is ten times slower, costly filters still leave time to others', () => {
  let nowMs = 0;
  const shares = new FilterShares(() => nowMs);
  const [work, tookMs] = [COSTLY / 4, 25];
  let takenMs = 0;
  while (nowMs < 10_000) {
    nowMs += 1;
    if (!shares.mayAsk('costly')) continue;
    nowMs += tookMs;
    takenMs += tookMs;
    shares.recordUse('costly', work, tookMs);
  }
  // The one that is under way when the share is used up is finished.
  expect(takenMs).toBeLessThan(6_000);
  expect(shares.mayAsk('another')).toBe(true);
});

test('a usual filter that met one large event is evaluated again, whatever costly ones use', () => {
  let nowMs = 0;
  const shares = new FilterShares(() => nowMs);
  shares.recordUse('usual', COSTLY / 10, 1);
  let refused = 0;
  for (; nowMs < 10_000; nowMs++) {
    for (const customer of ['a', 'b', 'c']) if (shares.mayAsk(customer)) shares.recordUse(customer, COSTLY, 10);
    if (nowMs < 1_000) continue;
    if (shares.mayAsk('usual')) shares.recordUse('usual', USUAL_WORK, 0.1);
    else refused++;
  }
  expect(refused).toBe(0);
});

test('however many have costly filters, no event waits for more than a few of them', () => {
  let nowMs = 0;
  const shares = new FilterShares(() => nowMs);
  const hostile = Array.from({ length: 200 }, (_, n) => `hostile-${n}`);
  const takenMs: number[] = [];
  const evaluations = new Map<string, number>();
  for (let event = 0; event < 3_000; event++) {
    const begunAtMs = nowMs;
    for (const customer of hostile) {
      if (!shares.mayAsk(customer)) continue;
      nowMs += 3;
      shares.recordUse(customer, COSTLY * 0.3, 3);
      evaluations.set(customer, (evaluations.get(customer) ?? 0) + 1);
    }
    takenMs.push(nowMs - begunAtMs);
    nowMs += 10;
  }
  // Nothing is known of them at the first.
  expect(takenMs[0]).toBe(600);
  expect(Math.max(...takenMs.slice(1))).toBeLessThan(10);
  const counts = hostile.map((customer) => evaluations.get(customer) ?? 0);
  expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 2);
});
