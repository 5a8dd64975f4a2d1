import { every } from './every.ts';
import { ManualClock } from './manual-clock.ts';
import { pause } from './pause.ts';
import { type RetryOptions, retry } from './retry.ts';

const limits = { firstMs: 100, longestMs: 1_000 };
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Fails `failures` times, and notes when each try began, in ms. */
function failing(failures: number, options: Partial<RetryOptions> = {}) {
  const clock = new ManualClock();
  const triedAtMs: number[] = [];
  const result = retry(
    async () => {
      triedAtMs.push(clock.monotonicMs());
      if (triedAtMs.length <= failures) throw new Error(`try ${triedAtMs.length}`);
      return 'done';
    },
    { limits, clock, random: () => 1, ...options },
  );
  result.catch(() => undefined);
  const advance = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await settle();
      clock.advance(clock.untilNextTimerMs() ?? 0);
    }
    await settle();
  };
  return { result, triedAtMs, advance, clock };
}

test('tries again after delays that double, until a try succeeds', async () => {
  const { result, triedAtMs, advance } = failing(6);
  await advance(6);
  expect(await result).toBe('done');
  expect(triedAtMs).toEqual([0, 100, 300, 700, 1_500, 2_500, 3_500]);
});

test('draws each delay independently', async () => {
  const drawn = [0.5, 0.25];
  const { triedAtMs, advance } = failing(2, { random: () => drawn.shift() ?? 1 });
  await advance(2);
  expect(triedAtMs).toEqual([0, 50, 100]);
});

test('gives up with the last error: not retryable, too many tries, too late', async () => {
  const refused = failing(9, { isRetryable: (error) => (error as Error).message !== 'try 2' });
  await refused.advance(1);
  await expect(refused.result).rejects.toThrow('try 2');
  const counted = failing(9, { maxTries: 3 });
  await counted.advance(2);
  await expect(counted.result).rejects.toThrow('try 3');
  expect(counted.clock.untilNextTimerMs()).toBeUndefined();
  // The fourth try would begin after 700 ms.
  const late = failing(9, { withinMs: 699 });
  await late.advance(2);
  await expect(late.result).rejects.toThrow('try 3');
});

test('an abort ends the wait and the tries', async () => {
  const ending = new AbortController();
  const seen: unknown[] = [];
  const { result, triedAtMs, clock } = failing(9, {
    signal: ending.signal,
    onFailure: (error, retryInMs) => seen.push([(error as Error).message, retryInMs]),
  });
  await settle();
  ending.abort();
  await expect(result).rejects.toThrow('try 1');
  expect([triedAtMs, seen, clock.untilNextTimerMs()]).toEqual([[0], [['try 1', 100]], undefined]);
  await pause(1e9, { signal: ending.signal, clock });
  expect(clock.untilNextTimerMs()).toBeUndefined();
});

test('what is called every 10 ms is called until it is canceled, also from within', () => {
  const clock = new ManualClock();
  const atMs: number[] = [];
  const timer = every(
    10,
    () => {
      atMs.push(clock.monotonicMs());
      if (atMs.length === 3) timer.cancel();
    },
    { clock },
  );
  clock.advance(1_000);
  expect(atMs).toEqual([10, 20, 30]);
});
