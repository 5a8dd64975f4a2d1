import { disabledAtMs, drainOf, type FailingCustomer } from './disable-forecast.ts';
import { defaultRetryPlan } from './retry-plan.ts';

const HOUR_MS = 3_600_000;
const nowMs = Date.UTC(2026, 0, 1);
const plan = defaultRetryPlan();
const customer: FailingCustomer = { plan, nowMs, lastSuccessAtMs: undefined, waiting: [], attemptMs: 0 };
const event = { attempts: 4, firstAttemptAtMs: nowMs - HOUR_MS, dueAtMs: nowMs };

describe('when a customer will be disabled', () => {
  test('an event that is tried as soon as it is due spends its 185 attempts in 22 h 55 min', () => {
    const fresh = { attempts: 0, firstAttemptAtMs: nowMs, dueAtMs: nowMs };
    expect(disabledAtMs({ ...customer, waiting: [fresh] })).toBe(nowMs + 22 * HOUR_MS + 54 * 60_000 + 45_000);
  });

  test('long attempts use up the window first', () => {
    const fresh = { attempts: 0, firstAttemptAtMs: nowMs, dueAtMs: nowMs };
    const atMs = disabledAtMs({ ...customer, waiting: [fresh], attemptMs: 60_000 }) ?? 0;
    expect(atMs - nowMs).toBeGreaterThanOrEqual(24 * HOUR_MS);
    expect(atMs - nowMs).toBeLessThan(24 * HOUR_MS + 10 * 60_000);
  });

  test('an event that was first tried before the last success disables nobody: it becomes a dead letter', () => {
    const waiting = [event];
    expect(disabledAtMs({ ...customer, waiting, lastSuccessAtMs: event.firstAttemptAtMs })).toBeUndefined();
    expect(disabledAtMs({ ...customer, waiting, lastSuccessAtMs: event.firstAttemptAtMs - 1 })).toBeDefined();
  });

  test('a held connection counts from when it was held, whatever its events have used', () => {
    const held = { ...customer, waiting: [event], heldSinceMs: nowMs - 2 * HOUR_MS };
    expect(disabledAtMs(held)).toBe(nowMs + 22 * HOUR_MS);
  });

  test('nothing leads there while nothing has failed', () => {
    expect(disabledAtMs(customer)).toBeUndefined();
  });

  test('a wait that the destination asked for puts it off', () => {
    const last = { attempts: 184, firstAttemptAtMs: nowMs - HOUR_MS, dueAtMs: nowMs };
    expect(disabledAtMs({ ...customer, waiting: [last] })).toBe(nowMs);
    expect(disabledAtMs({ ...customer, waiting: [last], waitUntilMs: nowMs + HOUR_MS })).toBe(nowMs + HOUR_MS);
  });
});

describe('when a backlog is drained', () => {
  const backlog = { nowMs, records: 1_000, deliveredPerSecond: 12, arrivingPerSecond: 2 };

  test.each([
    ['at what is delivered beyond what arrives', backlog, { kind: 'drained', atMs: nowMs + 100_000 }],
    [
      'not before the last retry is due',
      { ...backlog, lastDueAtMs: nowMs + HOUR_MS },
      { kind: 'drained', atMs: nowMs + HOUR_MS },
    ],
    ['never, if as much arrives', { ...backlog, arrivingPerSecond: 12 }, { kind: 'growing' }],
    ['nobody knows, if nothing was delivered', { ...backlog, deliveredPerSecond: 0 }, { kind: 'stopped' }],
    ['at once, if nothing waits', { ...backlog, records: 0 }, { kind: 'empty' }],
  ] as const)('%s', (_, of, expected) => {
    expect(drainOf(of)).toEqual(expected);
  });

  test('is within 5 % of a simulated queue', () => {
    for (const [records, deliveredPerSecond, arrivingPerSecond] of [
      [5_000, 50, 10],
      [300, 2, 1.5],
      [90_000, 200, 0],
    ] as const) {
      const forecast = drainOf({ nowMs, records, deliveredPerSecond, arrivingPerSecond });
      let seconds = 0;
      for (let left: number = records; left > 0; seconds++) left += arrivingPerSecond - deliveredPerSecond;
      const forecastSeconds = ((forecast.kind === 'drained' ? forecast.atMs : 0) - nowMs) / 1_000;
      expect(Math.abs(forecastSeconds - seconds) / seconds).toBeLessThan(0.05);
    }
  });
});
