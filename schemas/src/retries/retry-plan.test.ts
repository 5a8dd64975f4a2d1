import fc from 'fast-check';
import { parseDelay } from '../records/topics.ts';
import { DEFAULT_RETRY_PLAN, exhaustsAtMs, parseRetryPlan, planNext, type RetryPlan } from './retry-plan.ts';

const DAY_MS = 86_400_000;

function planOf(text: string, windowMs = DAY_MS): RetryPlan {
  const plan = parseRetryPlan(text, windowMs);
  if ('mistake' in plan) throw new Error(plan.mistake);
  return plan;
}

const plan = planOf(DEFAULT_RETRY_PLAN);

/** Follows one event that fails every time, each attempt taking `attemptMs`. */
function chain(of: RetryPlan, attemptMs: number) {
  let nowMs = 0;
  const startedAtMs: number[] = [];
  for (let attempts = 1; ; attempts++) {
    startedAtMs.push(nowMs);
    nowMs += attemptMs;
    const next = planNext(of, attempts, nowMs);
    if (next.kind === 'exhausted') return { startedAtMs, why: next.why };
    nowMs += parseDelay(next.delay) as number;
  }
}

test('the promise: 185 attempts, over 22 h 55 min (and a quarter)', () => {
  const { startedAtMs, why } = chain(plan, 0);
  expect(startedAtMs).toHaveLength(185);
  // 3 × (10 s + 1 min + 5 min) + 175 × 7 min 45 s
  expect(startedAtMs.at(-1)).toBe(3 * 370_000 + 175 * 465_000);
  expect(why).toBe('attempts');
});

test('the default plan begins with 10 s × 3, 1 min × 3, 5 min × 3 and goes on with 7 min 45 s', () => {
  const delays = Array.from({ length: 12 }, (_, i) => planNext(plan, i + 1, 0)).map(
    (next) => 'delay' in next && next.delay,
  );
  expect(delays).toEqual(['10s', '10s', '10s', '1m', '1m', '1m', '5m', '5m', '5m', '7m45s', '7m45s', '7m45s']);
});

test('however long attempts take, there are at most 185, and none is planned past 24 h', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3_600_000 }), (attemptMs) => {
      const { startedAtMs, why } = chain(plan, attemptMs);
      expect(startedAtMs.length).toBeLessThanOrEqual(185);
      const lastEndedMs = (startedAtMs.at(-1) as number) + attemptMs;
      // It ends by the count, or by the first failure at which a day is over.
      expect(why).toBe(startedAtMs.length === 185 ? 'attempts' : 'window');
      if (why === 'window') expect(lastEndedMs).toBeGreaterThanOrEqual(DAY_MS);
      expect(startedAtMs.slice(0, -1).filter((ms) => ms + attemptMs >= DAY_MS)).toEqual([]);
    }),
  );
});

test('20 s an attempt fit all 185 into the day', () => {
  expect(chain(plan, 20_000).startedAtMs).toHaveLength(185);
});

test('for any plan, the lanes are used in order, each as often as it says', () => {
  const steps = fc.uniqueArray(
    fc.tuple(fc.constantFrom('1s', '2s', '10s', '1m', '5m'), fc.integer({ min: 1, max: 9 })),
    {
      selector: ([delay]) => delay,
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(steps, (lanes) => {
      const any = planOf(lanes.map(([delay, times]) => `${delay}*${times}`).join(','));
      const wanted = lanes.flatMap(([delay, times]) => Array<string>(times).fill(delay));
      expect(any.maxAttempts).toBe(wanted.length + 1);
      const seen = wanted.map((_, i) => planNext(any, i + 1, 0));
      expect(seen).toEqual(wanted.map((delay) => ({ kind: 'retry', delay })));
      expect(planNext(any, any.maxAttempts, 0)).toEqual({ kind: 'exhausted', why: 'attempts' });
    }),
  );
});

test('a clock that stepped back plans as if no time had passed', () => {
  expect(planNext(plan, 5, -3_600_000)).toEqual({ kind: 'retry', delay: '1m' });
});

test.each([
  ['10s', /not delay\*times/],
  ['60s*3', /not delay\*times/],
  ['10s*0', /not delay\*times/],
  ['10s*3,10s*4', /named twice/],
  ['1h*30', /more than the window/],
])('the plan "%s" is refused', (text, message) => {
  expect(parseRetryPlan(text, DAY_MS)).toMatchObject({ mistake: expect.stringMatching(message) as string });
});

test('the forecast of exhaustion is exact when attempts take no time, and within 5 % of the window when they do', () => {
  for (const attemptMs of [0, 1_000, 20_000]) {
    const { startedAtMs } = chain(plan, attemptMs);
    const lastMs = startedAtMs.at(-1) as number;
    for (let made = 1; made < startedAtMs.length; made++) {
      const forecastMs = exhaustsAtMs(plan, made, 0, startedAtMs[made] as number);
      expect(forecastMs).toBeLessThanOrEqual(lastMs);
      expect(lastMs - forecastMs).toBeLessThanOrEqual(attemptMs === 0 ? 0 : 0.05 * DAY_MS);
    }
  }
});

test('the window ends the forecast before the attempts do', () => {
  const short = planOf('1m*100', 100 * 60_000);
  // The next attempt is late by half of the window.
  expect(exhaustsAtMs(short, 1, 0, 50 * 60_000)).toBe(100 * 60_000);
  expect(exhaustsAtMs(short, 1, 0, 101 * 60_000)).toBe(101 * 60_000);
});
