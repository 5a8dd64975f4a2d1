import type { Turn, Turns } from './turns.ts';

/**
 * Decides when the answers of one customer are read. Reading is synchronous (headers, chunks, TLS records), and 64
 * endpoints that flood at the same time would fill one turn of the event loop with it. So a customer's answers have a
 * slice of each turn, apart from the slice in which its requests begin; data beyond it is read in later turns, oldest
 * first.
 */
export class ReadingTurn {
  readonly #turn: Turn;
  readonly #waiting: (() => void)[] = [];

  constructor(turns: Turns) {
    this.#turn = turns.join(() => this.#goOn());
  }

  /** @param read is called at once, or in a later turn if the slice is used up */
  read(read: () => void): void {
    if (this.#waiting.length === 0 && this.#turn.requestTurn()) this.#turn.work(read);
    else this.#waiting.push(read);
  }

  #goOn(): void {
    while (this.#waiting.length > 0 && this.#turn.requestTurn()) this.#turn.work(this.#waiting.shift() as () => void);
  }
}
