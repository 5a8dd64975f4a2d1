import type { Attempt } from '@databridge/schemas/records/attempts';
import { DEFAULT_RETRY_PLAN, parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { WaitingEvents } from './waiting-events.ts';

const plan = parseRetryPlan(DEFAULT_RETRY_PLAN, 86_400_000) as RetryPlan;

function after(...attempts: readonly Partial<Attempt>[]) {
  const waiting = new WaitingEvents(plan);
  for (const one of attempts)
    waiting.add('acme', {
      ...{ eventId: 'a', attempt: 1, at: 10, durationMs: 1, outcome: 'retry', lane: 'main' },
      ...one,
    });
  return waiting.oldest('acme');
}

test('the oldest is the one whose attempts began first, with how many it has had', () => {
  expect(after({}, { eventId: 'b', at: 20 }, { attempt: 2, at: 30 })).toEqual({
    ...{ eventId: 'a', firstAtMs: 10, attempts: 2 },
  });
});

test.each<[string, Partial<Attempt>]>([
  ['delivered', { outcome: 'delivered', attempt: 2 }],
  ['refused', { outcome: 'refused', attempt: 2 }],
  ['exhausted', { attempt: 185 }],
])('one that is %s waits no longer', (_what, end) => {
  expect(after({}, end)).toBeUndefined();
  expect(after({}, { eventId: 'b', at: 20 }, end)?.eventId).toBe('b');
});

test('after an enabling, an event has a new budget; a test never waits', () => {
  expect(after({}, { attempt: 7, at: 20 }, { attempt: 1, at: 500 })?.firstAtMs).toBe(500);
  expect(after({ test: true })).toBeUndefined();
});
