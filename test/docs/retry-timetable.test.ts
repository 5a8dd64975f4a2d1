/** The timetable that receivers read in docs/receive.md is that of the default retry plan. */
import { readFileSync } from 'node:fs';
import { DEFAULT_RETRY_PLAN, parseRetryPlan } from '@databridge/schemas/retries/retry-plan';

const MS = { hours: 3_600_000, minutes: 60_000, seconds: 1_000 };

function milliseconds(text: string): number {
  return [...text.matchAll(/(\d+) (hour|minute|second)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * MS[`${unit}s` as keyof typeof MS],
    0,
  );
}

test('each step of the plan is a row, and no row is anything else', () => {
  const guide = readFileSync(new URL('../../docs/receive.md', import.meta.url), 'utf8');
  const rows = [...guide.matchAll(/^\| (\d+) to (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  const told = rows.map(([, first, last, wait = '']) => ({
    times: Number(last) - Number(first) + 1,
    delayMs: milliseconds(wait),
  }));
  const plan = parseRetryPlan(DEFAULT_RETRY_PLAN, 24 * MS.hours);
  if ('mistake' in plan) throw new Error(plan.mistake);
  expect(told).toEqual(plan.steps.map(({ times, delayMs }) => ({ times, delayMs })));
  // The column "together" is rounded down to minutes where it is long.
  for (const [, first, last, wait = '', together = ''] of rows) {
    const exactMs = (Number(last) - Number(first) + 1) * milliseconds(wait);
    expect(exactMs - milliseconds(together)).toBeGreaterThanOrEqual(0);
    expect(exactMs - milliseconds(together)).toBeLessThan(MS.minutes);
  }
});
