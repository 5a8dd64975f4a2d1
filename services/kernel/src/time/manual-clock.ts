import type { Clock, Timer } from './clock.ts';

interface Armed {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that a test moves. Timers run in due order, each at its own time. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #armed = new Set<Armed>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  recordMs(timestampMs: number): number {
    return timestampMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const armed = { atMs: this.#monotonicMs + Math.max(delayMs, 0), order: this.#order++, run };
    this.#armed.add(armed);
    return { cancel: () => this.#armed.delete(armed) };
  }

  /** Moves both clocks forward, and runs the timers that come due on the way. */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs;
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#armed.delete(next);
      this.#moveTo(next.atMs);
      next.run();
    }
    this.#moveTo(untilMs);
  }

  /**
   * Changes the wall clock (an NTP correction, an operator's mistake); timers and the monotonic clock are not affected.
   */
  stepWallClock(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** The time until the next timer in ms; undefined if there is none. */
  untilNextTimerMs(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.atMs - this.#monotonicMs;
  }

  #next(): Armed | undefined {
    let first: Armed | undefined;
    for (const armed of this.#armed) {
      const isEarlier =
        first === undefined || armed.atMs < first.atMs || (armed.atMs === first.atMs && armed.order < first.order);
      if (isEarlier) first = armed;
    }
    return first;
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}
