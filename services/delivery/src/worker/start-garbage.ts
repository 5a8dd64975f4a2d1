import type { Logger } from '@databridge/kernel/log';
import { compactHeap } from '@databridge/kernel/offsets/compact-heap';
import { systemClock } from '@databridge/kernel/time/clock';

/** After this many starts the heap is compacted: the garbage that they left justifies the pause. */
const MANY_STARTS = 200;

/** Counts starts of customers, and compacts the heap once many have ended and none is in progress. */
export class StartGarbage {
  readonly #log: Logger;
  /** The number of starts since the heap was last compacted. */
  #starts = 0;
  #inProgress = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  noteBegin(): void {
    this.#inProgress++;
  }

  noteEnd(isStarted: boolean): void {
    this.#inProgress--;
    if (isStarted) this.#starts++;
    if (this.#inProgress > 0 || this.#starts < MANY_STARTS) return;
    this.#starts = 0;
    const startedAtMs = systemClock.monotonicMs();
    compactHeap();
    this.#log.info({ tookMs: Math.round(systemClock.monotonicMs() - startedAtMs) }, 'heap compacted after many starts');
  }
}
