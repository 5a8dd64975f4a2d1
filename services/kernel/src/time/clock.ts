/** Time and timers. They are passed in, so that a test can run a day in a second. */
export interface Clock {
  /** The wall clock, in ms since the epoch: for stored times and comparisons with records' timestamps. */
  nowMs(): number;
  /** Never goes back, even if the wall clock does: for leases, rates and time-outs. */
  monotonicMs(): number;
  /** Converts a record's timestamp, which the broker's clock gave, to this clock. */
  recordMs(timestampMs: number): number;
  /** Calls `run` once, after `delayMs` or later. */
  after(delayMs: number, run: () => void, options?: TimerOptions): Timer;
}

export interface TimerOptions {
  /** The timer does not keep the process running. */
  readonly isBackground?: boolean | undefined;
}

/** One moment by both clocks: the wall clock for stored times, the monotonic one for every wait. */
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
