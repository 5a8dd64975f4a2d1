import type { Logger } from '@databridge/kernel/log';
import { compactHeap } from '@databridge/kernel/offsets/compact-heap';
import { type Clock, systemClock, type Timer } from '@databridge/kernel/time/clock';

/** After this many starts the heap is compacted: the garbage that they left justifies the pause. */
const MANY_STARTS = 200;
/** After the last start, so that what starts leave behind (first fetches, waiting events) is over too. */
const SETTLED_AFTER_MS = 3_000;
/** The message of the line with the number of customers that `started` together. */
export const CUSTOMERS_STARTED = 'customers started';

/**
 * Counts starts of customers: logs when all of them have ended, and compacts the heap once many have ended and none has
 * begun for a while.
 */
export class StartGarbage {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #compact: () => void;
  /** The number of starts since the heap was last compacted. */
  #starts = 0;
  #inProgress = 0;
  /** Since no start was in progress. */
  #together = { started: 0, sinceMs: 0 };
  #timer: Timer | undefined;

  constructor(log: Logger, clock: Clock = systemClock, compact: () => void = compactHeap) {
    this.#log = log;
    this.#clock = clock;
    this.#compact = compact;
  }

  noteBegin(): void {
    if (this.#inProgress === 0) this.#together = { started: 0, sinceMs: this.#clock.monotonicMs() };
    this.#inProgress++;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  noteEnd(isStarted: boolean): void {
    this.#inProgress--;
    if (isStarted) {
      this.#starts++;
      this.#together.started++;
    }
    if (this.#inProgress > 0) return;
    const { started, sinceMs } = this.#together;
    if (started > 0)
      this.#log.info({ started, tookMs: Math.round(this.#clock.monotonicMs() - sinceMs) }, CUSTOMERS_STARTED);
    if (this.#starts < MANY_STARTS) return;
    this.#timer = this.#clock.after(SETTLED_AFTER_MS, () => this.#collect(), { isBackground: true });
  }

  #collect(): void {
    this.#starts = 0;
    const startedAtMs = this.#clock.monotonicMs();
    this.#compact();
    this.#log.info({ tookMs: Math.round(this.#clock.monotonicMs() - startedAtMs) }, 'heap compacted after many starts');
  }
}
