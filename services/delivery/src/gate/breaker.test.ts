import { EventEmitter } from 'node:events';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import type { Outcome } from '../attempt/outcome.ts';
import { Breaker, type BreakerState } from './breaker.ts';

const SETTINGS = { resetAfterMs: 30_000, minAttempts: 4, failurePercentage: 50, windowMs: 10_000 };
const failed: Outcome = { kind: 'retry', reason: 'status 503', status: 503 };
const delivered: Outcome = { kind: 'delivered', status: 200 };

let clock: ManualClock;
let breaker: Breaker;
let seen: BreakerState[];

beforeEach(() => {
  clock = new ManualClock();
  seen = [];
  breaker = new Breaker(SETTINGS, new EventEmitter(), clock, (state) => seen.push(state));
});

afterEach(() => breaker.stop());

async function observe(...outcomes: readonly Outcome[]): Promise<void> {
  for (const outcome of outcomes) breaker.recordOutcome(outcome, clock.monotonicMs());
  await new Promise<void>((resolve) => setImmediate(resolve));
}

test('opens when more than half of enough attempts failed, and lets a probe go after the time of the clock', async () => {
  await observe(failed, failed, failed);
  expect(breaker.state).toBe('closed');
  await observe(failed);
  expect(breaker.state).toBe('open');
  clock.advance(29_999);
  expect(breaker.state).toBe('open');
  clock.advance(1);
  expect(breaker.state).toBe('half-open');
  await observe(delivered);
  expect([breaker.state, seen]).toEqual(['closed', ['open', 'half-open', 'closed']]);
});

test('a probe that fails opens it for the same time again', async () => {
  await observe(failed, failed, failed, failed);
  for (let probe = 0; probe < 3; probe++) {
    clock.advance(30_000);
    expect(breaker.state).toBe('half-open');
    await observe(failed);
    expect(breaker.state).toBe('open');
  }
  expect(seen).toEqual(['open', 'half-open', 'open', 'half-open', 'open', 'half-open', 'open']);
});

test('keeps its window over a probe: what failed before still counts until it is too old', async () => {
  await observe(failed, failed, failed, failed);
  clock.advance(30_000);
  await observe(delivered);
  expect(breaker.state).toBe('closed');
  // Of six in the window, five failed.
  await observe(failed);
  expect(breaker.state).toBe('open');
});

test('another destination begins closed, with nothing counted and no timer left', async () => {
  await observe(failed, failed, failed, failed);
  breaker.reset();
  expect([breaker.state, clock.untilNextTimerMs()]).toEqual(['closed', undefined]);
  await observe(failed, failed, failed);
  expect(breaker.state).toBe('closed');
});
