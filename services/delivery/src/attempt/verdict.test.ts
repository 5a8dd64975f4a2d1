import { DEFAULT_RETRY_PLAN, parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Outcome } from './outcome.ts';
import { verdictOf } from './verdict.ts';

const DAY_MS = 86_400_000;
const plan = parseRetryPlan(DEFAULT_RETRY_PLAN, DAY_MS) as RetryPlan;
const first = { attempt: 1, firstAttemptAtMs: 1_000, nowMs: 1_500, lastSuccessAtMs: undefined };
const failed: Outcome = { kind: 'retry', reason: 'status 503', status: 503 };

test.each<[Outcome, object]>([
  [{ kind: 'delivered', status: 204 }, { kind: 'done' }],
  [
    { kind: 'refused', reason: 'status 400', status: 400 },
    { kind: 'dead', reason: 'refused' },
  ],
  [
    { kind: 'internal', reason: 'a bug' },
    { kind: 'dead', reason: 'internal' },
  ],
  [{ kind: 'deauthorized', reason: 'status 401', status: 401 }, { kind: 'keep' }],
  [{ kind: 'blocked', reason: 'a loopback address' }, { kind: 'keep' }],
  [
    { kind: 'gone', reason: 'status 410', status: 410 },
    { kind: 'disable', reason: 'gone' },
  ],
  [failed, { kind: 'retry', delay: '10s' }],
])('%j leads to %j', (outcome, verdict) => {
  expect(verdictOf(outcome, first, plan)).toEqual(verdict);
});

describe('exhausted', () => {
  const last = { ...first, attempt: 185 };

  test('with nothing accepted since the first attempt, the endpoint is down: disabled', () => {
    expect(verdictOf(failed, last, plan)).toEqual({ kind: 'disable', reason: 'exhausted' });
    expect(verdictOf(failed, { ...last, lastSuccessAtMs: 999 }, plan)).toEqual({
      kind: 'disable',
      reason: 'exhausted',
    });
  });

  test('with something accepted since, the event is the poison: dead letter, the customer flows on', () => {
    expect(verdictOf(failed, { ...last, lastSuccessAtMs: 1_200 }, plan)).toEqual({ kind: 'dead', reason: 'exhausted' });
  });

  test('a day after the first attempt counts as well, and only after a failure', () => {
    const late = { ...first, attempt: 7, nowMs: first.firstAttemptAtMs + DAY_MS };
    expect(verdictOf(failed, late, plan)).toEqual({ kind: 'disable', reason: 'exhausted' });
    expect(verdictOf({ kind: 'delivered', status: 200 }, late, plan)).toEqual({ kind: 'done' });
  });
});
