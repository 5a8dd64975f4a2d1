import { systemClock } from '@databridge/kernel/time/clock';

/** The most time that one customer may compute in one turn of the event loop before the others get theirs. */
const MAX_SLICE_MS = 2;
/** The least: below it, a turn of the event loop costs more than what is done in it. */
const MIN_SLICE_MS = 0.5;
/**
 * The time that all customers that exhausted their slice may compute in one turn, before sockets and timers are handled
 * again.
 */
const ROUND_MS = 6;
/** Customers that worked within this time share the round. */
const ACTIVE_FOR_MS = 100;

/**
 * Divides the processor between the customers of a worker: rendering and signing are synchronous, so one customer with a
 * deep backlog and large events would otherwise hold the event loop for all of it. A customer whose slice is used up
 * goes on in a later turn, in the order in which slices ended (round-robin).
 *
 * An event passes several turns on its way, so the turns must be short while others have events: the more customers are
 * active, the shorter are the slices. The time after a piece of work counts as well, until the next piece begins: most
 * of the work on an answer is done in microtasks, and undici writes requests in an immediate.
 */
export class Turns {
  readonly #nowMs: () => number;
  readonly #queue: Turn[] = [];
  #number = 0;
  #next: NodeJS.Immediate | undefined;
  /** The customer that worked last in this turn of the event loop, and until when its time is counted. */
  #latest: Turn | undefined;
  #countedUntilMs = 0;
  #active = new Set<Turn>();
  #activeSinceMs = 0;
  #sliceMs = MAX_SLICE_MS;

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

  /** The time that each customer may compute in the present turn. */
  get sliceMs(): number {
    return this.#sliceMs;
  }

  /** Counts the time since the last piece of work for the customer that did it. @returns the present time */
  count(): number {
    const nowMs = this.#nowMs();
    this.#latest?.count(nowMs - this.#countedUntilMs);
    this.#countedUntilMs = nowMs;
    return nowMs;
  }

  /** Notes that the customer begins a piece of work: the time from now on is counted for it. */
  countFor(turn: Turn): void {
    const nowMs = this.count();
    this.#latest = turn;
    if (nowMs - this.#activeSinceMs >= ACTIVE_FOR_MS) {
      this.#activeSinceMs = nowMs;
      this.#sliceMs = Math.max(MIN_SLICE_MS, Math.min(MAX_SLICE_MS, ROUND_MS / this.#active.size));
      this.#active.clear();
    }
    this.#active.add(turn);
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
    // The event loop may wait for sockets now, if nobody works.
    this.#latest = undefined;
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
    if (this.#number !== this.#turns.number) return true;
    this.#turns.count();
    if (this.#usedMs < this.#turns.sliceMs) return true;
    this.#isQueued = true;
    this.#turns.enqueue(this);
    return false;
  }

  /** Does a piece of work. The time until the next piece of any customer is counted for this one. */
  work(run: () => void): void {
    if (this.#number !== this.#turns.number) {
      this.#number = this.#turns.number;
      this.#usedMs = 0;
      this.#turns.endSoon();
    }
    this.#turns.countFor(this);
    run();
  }

  count(ms: number): void {
    this.#usedMs += ms;
  }

  goOn(): void {
    this.#isQueued = false;
    this.#goOn();
  }
}
