import { EventEmitter } from 'node:events';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import { Gate } from './gate.ts';

const HOUR_MS = 3_600_000;
const WRITTEN_AT_MS = Date.UTC(2026, 0, 1);
const STATUS: WorkerStatus = {
  customer: 'acme',
  worker: 'w',
  at: WRITTEN_AT_MS,
  breaker: 'closed',
  waitUntilMs: WRITTEN_AT_MS + 60_000,
};
const gate = new Gate(
  {
    ratePerSecond: undefined,
    maxWaitMs: HOUR_MS,
    breaker: { resetAfterMs: 1_000, minAttempts: 5, failurePercentage: 50, windowMs: 1_000 },
    breakerRotation: new EventEmitter(),
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
    gate.enable();
    expect(gate.permit(5)).toEqual({ kind: 'free' });
  });
});
