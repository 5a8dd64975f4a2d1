import { systemClock } from '@databridge/kernel/time/clock';

/** The time that one customer may compute in one turn of the event loop before the others get theirs. */
const SLICE_MS = 2;
/**
 * The time that all customers that exhausted their slice may compute in one turn, before sockets and timers are handled
 * again.
 */
const ROUND_MS = 6;

/**
 * Divides the processor between the customers of a worker: rendering and signing are synchronous, so one customer with a
 * deep backlog and large events would otherwise hold the event loop for all of it. A customer whose slice is used up
 * goes on in a later turn, in the order in which slices ended (round-robin).
 */
export class Turns {
  readonly #nowMs: () => number;
  readonly #queue: Turn[] = [];
  #number = 0;
  #next: NodeJS.Immediate | undefined;

  constructor(nowMs: () => number = () => systemClock.monotonicMs()) {
    this.#nowMs = nowMs;
  }

  /** @param goOn called when a customer whose slice was used up may work again */
  join(goOn: () => void): Turn {
    return new Turn(this, goOn);
  }

  /** The number of the present turn of the event loop. */
  get number(): number {
    return this.#number;
  }

  nowMs(): number {
    return this.#nowMs();
  }

  enqueue(turn: Turn): void {
    this.#queue.push(turn);
    this.endSoon();
  }

  endSoon(): void {
    this.#next ??= setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#next = undefined;
    this.#number++;
    const beganAtMs = this.#nowMs();
    // Customers that use up their slice again are appended: they continue in the turn after this one.
    for (let left = this.#queue.length; left > 0 && this.#nowMs() - beganAtMs < ROUND_MS; left--) {
      this.#queue.shift()?.goOn();
    }
    if (this.#queue.length > 0) this.endSoon();
  }
}

/** The processor time of one customer. */
export class Turn {
  readonly #turns: Turns;
  readonly #goOn: () => void;
  #number = -1;
  #usedMs = 0;
  #isQueued = false;

  constructor(turns: Turns, goOn: () => void) {
    this.#turns = turns;
    this.#goOn = goOn;
  }

  /** Returns whether the customer may begin a piece of work in this turn; if not, it is called in a later one. */
  requestTurn(): boolean {
    if (this.#isQueued) return false;
    if (this.#number !== this.#turns.number || this.#usedMs < SLICE_MS) return true;
    this.#isQueued = true;
    this.#turns.enqueue(this);
    return false;
  }

  /** Does a piece of work, and measures the time until it returns. */
  work(run: () => void): void {
    if (this.#number !== this.#turns.number) {
      this.#number = this.#turns.number;
      this.#usedMs = 0;
      this.#turns.endSoon();
    }
    const beganAtMs = this.#turns.nowMs();
    run();
    this.#usedMs += this.#turns.nowMs() - beganAtMs;
  }

  goOn(): void {
    this.#isQueued = false;
    this.#goOn();
  }
}
