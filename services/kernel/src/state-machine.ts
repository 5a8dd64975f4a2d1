/** Which state may follow which. A state without followers is final. */
export type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>;

/** A state with one writer. Every change is checked against its defined transitions: any other one is a bug. */
export class StateMachine<State extends string> {
  readonly #name: string;
  readonly #transitions: Transitions<State>;
  #state: State;

  constructor(name: string, transitions: Transitions<State>, initial: State) {
    this.#name = name;
    this.#transitions = transitions;
    this.#state = initial;
  }

  get state(): State {
    return this.#state;
  }

  is(...states: readonly State[]): boolean {
    return states.includes(this.#state);
  }

  /** @throws Error if the transition is not defined */
  to(next: State): void {
    if (!this.#transitions[this.#state].includes(next)) {
      throw new Error(`${this.#name}: no transition from ${this.#state} to ${next}`);
    }
    this.#state = next;
  }
}
