import { EventEmitter } from 'node:events';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import type { Outcome } from '../attempt/outcome.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { Gate } from './gate.ts';

/** opossum answers in promises. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const HOUR_MS = 3_600_000;
const WRITTEN_AT_MS = Date.UTC(2026, 0, 1);
const STATUS: WorkerStatus = {
  customer: 'acme',
  worker: 'w',
  at: WRITTEN_AT_MS,
  breaker: 'closed',
  waitUntilMs: WRITTEN_AT_MS + 60_000,
};
const clock = new ManualClock();
clock.advance(5);
const gate = new Gate(
  {
    ratePerSecond: undefined,
    maxWaitMs: HOUR_MS,
    breaker: { resetAfterMs: 1_000, minAttempts: 5, failurePercentage: 50, windowMs: 1_000 },
    breakerRotation: new EventEmitter(),
    clock,
    onChange: () => undefined,
  },
  0,
);

afterAll(() => gate.stop());

test.each([
  ['at once', 0, 60_000],
  ['20 s later', 20_000, 40_000],
  ['by a clock that is an hour behind', -HOUR_MS, 60_000],
])('a wait that was taken up %s lasts no longer than was left', (_when, laterMs, leftMs) => {
  gate.restore(STATUS, { wallMs: WRITTEN_AT_MS + laterMs, monotonicMs: 5 });
  expect(gate.permit(5)).toMatchObject({ kind: 'closed', untilMs: 5 + leftMs });
  expect(gate.permit(5 + leftMs)).toEqual({ kind: 'free' });
});

test('a wait that is over holds nobody, nor does none', () => {
  const { waitUntilMs: _, ...none } = STATUS;
  for (const status of [STATUS, none]) {
    gate.restore(status, { wallMs: WRITTEN_AT_MS + 60_000, monotonicMs: 5 });
    expect(gate.permit(5)).toEqual({ kind: 'free' });
  }
});

describe('a change of the subscription', () => {
  const NOW = { wallMs: WRITTEN_AT_MS, monotonicMs: 5 };
  const held = { because: 'deauthorized', sinceMs: WRITTEN_AT_MS, detail: 'status 401' } as const;
  beforeEach(() => gate.restore({ ...STATUS, held }, NOW));

  test('of the connection ends what was found of it, and no wait that the destination asked for', () => {
    gate.forgetConnection();
    expect(gate.status(NOW)).toMatchObject({ waitUntilMs: WRITTEN_AT_MS + 60_000 });
    expect(gate.status(NOW)).not.toHaveProperty('held');
  });

  test('of the destination ends all of it', () => {
    gate.rate.restate(100);
    gate.rate.allow(10);
    gate.rate.slowDown(5_000);
    gate.forgetDestination();
    expect(gate.permit(5)).toEqual({ kind: 'free' });
    expect(gate.rate.ratePerSecond).toBe(100);
  });

  test('that enables the customer ends its wait', () => {
    gate.enable(5);
    expect(gate.permit(5)).toEqual({ kind: 'free' });
  });
});

describe('how many requests may be in flight', () => {
  const NOW = { wallMs: WRITTEN_AT_MS, monotonicMs: 5 };
  const record = {} as BufferedRecord;
  const delivered: Outcome = { kind: 'delivered', status: 200 };
  const refusedUs: Outcome = { kind: 'deauthorized', reason: 'status 401', status: 401 };
  const overloaded: Outcome = { kind: 'retry', reason: 'status 503', status: 503 };
  const observed = (outcome: Outcome, times = 1) => {
    for (let n = 0; n < times; n++) gate.recordOutcome(record, outcome, NOW, { durationMs: 20, inFlight: 32 });
  };
  beforeEach(() => gate.forgetDestination());

  test('begins with 32, and is halved by answers that say "too much"', () => {
    expect(gate.concurrency.limit(5)).toBe(32);
    // Half of them: the breaker stays closed.
    for (let n = 0; n < 16; n++) {
      observed(delivered);
      observed(overloaded);
    }
    expect(gate.concurrency.limit(5)).toBe(16);
  });

  test.each(['blocked', 'internal'] as const)('is not moved by what was never sent (%s)', (kind) => {
    observed({ kind, reason: 'not sent' }, 32);
    expect(gate.concurrency.limit(5)).toBe(32);
  });

  test('begins again with 1 when a hold is over, so that one success does not let all go at once', () => {
    observed(refusedUs);
    expect(gate.permit(NOW.monotonicMs).kind).toBe('closed');
    observed(delivered);
    expect(gate.permit(NOW.monotonicMs).kind).toBe('free');
    expect([5, 1_005, 4_005].map((ms) => gate.concurrency.limit(ms))).toEqual([1, 1, 1]);
  });

  test('begins again with 1 when the breaker closes', async () => {
    observed(overloaded, 10);
    await settle();
    expect(gate.breakerState).toBe('open');
    clock.advance(999);
    expect(gate.breakerState).toBe('open');
    clock.advance(1);
    expect(gate.breakerState).toBe('half-open');
    observed(delivered);
    await settle();
    expect(gate.breakerState).toBe('closed');
    expect(gate.concurrency.limit(clock.monotonicMs())).toBe(1);
  });

  test('begins again with 1 when the customer is enabled', () => {
    gate.enable(5);
    expect(gate.concurrency.limit(5)).toBe(1);
  });
});
