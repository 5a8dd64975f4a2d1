/** Time and timers, passed in, so that a test can run a day in a second. */
export interface Clock {
  /** Wall clock, ms since the epoch: for what is written down and compared with records' timestamps. */
  nowMs(): number;
  /** Never steps back, whatever the wall clock does: for leases, rates and time-outs. */
  monotonicMs(): number;
  /** A record's timestamp, which the broker's clock gave, by this clock's reckoning. */
  recordMs(timestampMs: number): number;
  /** Calls `run` once, `delayMs` from now or later. */
  after(delayMs: number, run: () => void, options?: TimerOptions): Timer;
}

export interface TimerOptions {
  /** The timer does not keep the process running. */
  readonly isBackground?: boolean | undefined;
}

/** One moment by both clocks: the wall clock for what is written down, the monotonic one for every wait. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export function instantOf(clock: Clock): Instant {
  return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
}

export interface Timer {
  cancel(): void;
}

/** Node's timers overflow past 2^31 - 1 ms and fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  recordMs: (timestampMs) => timestampMs,
  after(delayMs, run, { isBackground = false } = {}) {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS));
    if (isBackground) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
