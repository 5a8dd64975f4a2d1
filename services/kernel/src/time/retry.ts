import { Backoff, type BackoffLimits } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { pause } from './pause.ts';

export interface RetryOptions {
  readonly limits: BackoffLimits;
  /** If omitted, every error is retried. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** No try begins later than this after the first one; if omitted, there is no limit. */
  readonly withinMs?: number;
  /** The greatest number of tries; if omitted, there is no limit. */
  readonly maxTries?: number;
  /** Once it aborts, no further try begins, and a wait ends at once. */
  readonly signal?: AbortSignal;
  /** Called before each wait. */
  readonly onFailure?: (error: unknown, retryInMs: number) => void;
  readonly clock?: Clock;
  /** A random number from 0 to 1, as `Math.random` returns it; `() => 1` waits for the whole delay, without jitter. */
  readonly random?: () => number;
  /** The waits do not keep the process running. */
  readonly isBackground?: boolean;
}

/**
 * Calls until one try succeeds, and waits between tries with exponential backoff and full jitter.
 * @returns what the first successful try returned
 * @throws the error of the last try: one that is not retryable, or the one after which no further try may begin
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { limits, isRetryable, withinMs = Infinity, maxTries = Infinity, signal, onFailure } = options;
  const { clock = systemClock, random, isBackground = false } = options;
  const backoff = new Backoff(limits, random);
  const giveUpAtMs = clock.monotonicMs() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted || isRetryable?.(error) === false) throw error;
      const retryInMs = backoff.next();
      if (backoff.failures >= maxTries || clock.monotonicMs() + retryInMs > giveUpAtMs) throw error;
      onFailure?.(error, retryInMs);
      await pause(retryInMs, { signal, clock, isBackground });
      if (signal?.aborted) throw error;
    }
  }
}
