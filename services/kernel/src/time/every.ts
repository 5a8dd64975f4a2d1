import { type Clock, systemClock, type Timer, type TimerOptions } from './clock.ts';

/** Calls `run` every `periodMs`, first after one period, until it is canceled. */
export function every(
  periodMs: number,
  run: () => void,
  { clock = systemClock, ...options }: TimerOptions & { readonly clock?: Clock } = {},
): Timer {
  const arm = (): Timer =>
    clock.after(
      periodMs,
      () => {
        timer = arm();
        run();
      },
      options,
    );
  let timer = arm();
  return { cancel: () => timer.cancel() };
}
