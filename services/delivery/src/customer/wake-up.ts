import type { Clock, Timer } from '@databridge/kernel/time/clock';

/** Calls back at the earliest of the scheduled times, with one timer. */
export class WakeUp {
  readonly #clock: Clock;
  readonly #run: () => void;
  #next: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** @param atMs by the monotonic clock */
  schedule(atMs: number): undefined {
    if (this.#next && this.#next.atMs <= atMs) return undefined;
    this.#next?.timer.cancel();
    const timer = this.#clock.after(atMs - this.#clock.monotonicMs(), () => {
      this.#next = undefined;
      this.#run();
    });
    this.#next = { atMs, timer };
    return undefined;
  }

  cancel(): void {
    this.#next?.timer.cancel();
    this.#next = undefined;
  }
}
