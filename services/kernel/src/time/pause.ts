import { type Clock, systemClock } from './clock.ts';

export interface PauseOptions {
  /** Ends the wait early when it aborts. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** The wait does not keep the process running. */
  readonly isBackground?: boolean;
}

/** Resolves after `delayMs`, or as soon as the signal aborts; it never rejects. */
export function pause(
  delayMs: number,
  { signal, clock = systemClock, isBackground }: PauseOptions = {},
): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    timer.cancel();
    signal?.removeEventListener('abort', end);
    resolve();
  };
  const timer = clock.after(delayMs, end, { isBackground });
  signal?.addEventListener('abort', end);
  return promise;
}
