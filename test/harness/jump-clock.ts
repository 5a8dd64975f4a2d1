import type { Clock, Timer } from '@databridge/kernel/time/clock';

interface Jump {
  /** Real time, ms since the epoch. */
  readonly atMs: number;
  /** How far ahead of real time the clock is from then on. */
  readonly aheadMs: number;
}

interface Armed {
  readonly atMs: number;
  readonly run: () => void;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Real time that can jump ahead: what waits for hours comes due at once, while broker and network take the time they
 * take. A record's timestamp is the broker's real time: it is read as what this clock showed when it was appended.
 */
export class JumpClock implements Clock {
  readonly #jumps: Jump[] = [{ atMs: 0, aheadMs: 0 }];
  readonly #armed = new Set<Armed>();

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  monotonicMs(): number {
    return performance.now() + this.#aheadMs;
  }

  recordMs(timestampMs: number): number {
    const jump = this.#jumps.findLast(({ atMs }) => atMs <= timestampMs);
    return timestampMs + (jump?.aheadMs ?? 0);
  }

  after(delayMs: number, run: () => void): Timer {
    const disarm = () => {
      clearTimeout(armed.timer);
      return this.#armed.delete(armed);
    };
    const armed: Armed = {
      atMs: this.monotonicMs() + Math.max(0, delayMs),
      // A jump may run it before its real timer does.
      run: () => {
        if (disarm()) run();
      },
      timer: undefined,
    };
    this.#armed.add(armed);
    this.#arm(armed);
    return { cancel: disarm };
  }

  /** How long until the next timer; undefined when none is armed. */
  untilNextTimerMs(): number | undefined {
    const atMs = Math.min(...[...this.#armed].map((armed) => armed.atMs));
    return Number.isFinite(atMs) ? atMs - this.monotonicMs() : undefined;
  }

  /** By whole milliseconds, as the wall clock counts. */
  jump(byMs: number): void {
    this.#jumps.push({ atMs: Date.now(), aheadMs: this.#aheadMs + Math.ceil(byMs) });
    const nowMs = this.monotonicMs();
    for (const armed of [...this.#armed].sort((a, b) => a.atMs - b.atMs)) if (armed.atMs <= nowMs) armed.run();
    // What is left comes sooner by the jump.
    for (const armed of this.#armed) this.#arm(armed);
  }

  #arm(armed: Armed): void {
    clearTimeout(armed.timer);
    armed.timer = setTimeout(armed.run, Math.max(0, armed.atMs - this.monotonicMs()));
  }

  get #aheadMs(): number {
    return this.#jumps.at(-1)?.aheadMs ?? 0;
  }
}
