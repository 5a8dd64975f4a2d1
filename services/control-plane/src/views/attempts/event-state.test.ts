import { DEFAULT_RETRY_PLAN, parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { fateOf } from './event-state.ts';

const DAY_MS = 86_400_000;
const plan = parseRetryPlan(DEFAULT_RETRY_PLAN, DAY_MS) as RetryPlan;
const attempt = { attempt: 1, at: 1_000, durationMs: 50, outcome: 'retry' as const };

test.each([
  ['delivered', { outcome: 'delivered' as const }, { state: 'delivered' }],
  ['refused', { outcome: 'refused' as const }, { state: 'dead' }],
  ['our own fault', { outcome: 'internal' as const }, { state: 'dead' }],
  ['a wrong key', { outcome: 'deauthorized' as const }, { state: 'held' }],
  ['passed over', { outcome: 'skipped' as const }, { state: 'skipped' }],
  ['the first failure: ten seconds', {}, { state: 'retrying', nextDueMs: 11_050 }],
  ['the seventh: five minutes', { attempt: 7 }, { state: 'retrying', nextDueMs: 301_050 }],
  ['the last of the plan', { attempt: 185 }, { state: 'dead' }],
  ['the window is over', { attempt: 20, at: DAY_MS + 1 }, { state: 'dead' }],
])('%s', (_what, changes, fate) => {
  expect(fateOf({ ...attempt, ...changes }, 0, 'active', plan)).toEqual(fate);
});

test('while the customer is disabled nothing is due', () => {
  expect(fateOf({ ...attempt, attempt: 185 }, 0, 'disabled', plan)).toEqual({ state: 'held' });
});
