/** The time that a fetch may take in addition to the time for which the broker delays its answer; one that took longer timed out. */
const SLOW_ANSWER_MS = 10_000;
/** After this many empty fetches in a row from every broker, there is nothing left to read. */
const QUIET_POLLS = 2;

/**
 * Records whether recent fetches found anything, by broker. The client reports when each of them begins and ends, but not
 * what it returned.
 */
export class Polls {
  readonly #maxWaitMs: number;
  readonly #byBroker = new Map<number, { quietPolls: number; waitedInVain: boolean }>();

  /** @param maxWaitMs how long the broker delays the answer to a fetch that finds nothing */
  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** Called when something was read, or the brokers to read from changed. */
  clear(): void {
    this.#byBroker.clear();
  }

  noteEnd(nodeId: number, durationMs: number): void {
    this.#byBroker.set(nodeId, {
      quietPolls: this.#byBroker.get(nodeId)?.quietPolls ?? 0,
      // A fetch that failed ends early, or with its time-out.
      waitedInVain: durationMs >= 0.9 * this.#maxWaitMs && durationMs < this.#maxWaitMs + SLOW_ANSWER_MS,
    });
  }

  /** Called when a fetch starts, when the result of the last one is processed. @returns whether there was one */
  noteStart(nodeId: number): boolean {
    const poll = this.#byBroker.get(nodeId);
    if (poll === undefined) return false;
    poll.quietPolls = poll.waitedInVain ? poll.quietPolls + 1 : 0;
    poll.waitedInVain = false;
    return true;
  }

  /** The fetches of every broker were empty twice in a row. */
  get foundNothing(): boolean {
    if (this.#byBroker.size === 0) return false;
    for (const { quietPolls } of this.#byBroker.values()) if (quietPolls < QUIET_POLLS) return false;
    return true;
  }
}
