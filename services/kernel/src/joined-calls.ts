interface Waiting<Item, Result> {
  readonly items: readonly Item[];
  readonly settle: PromiseWithResolvers<Result>;
}

/**
 * Joins calls that come while another one is in progress: they are made together, as one call, once it has ended. So
 * each call still sees the state after it began, and many calls at the same time cost little more than one.
 */
export class JoinedCalls<Item, Result> {
  readonly #call: (items: readonly Item[]) => Promise<Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #isRunning = false;

  /** @param call is called with the items of all callers; each of them gets the same result */
  constructor(call: (items: readonly Item[]) => Promise<Result>) {
    this.#call = call;
  }

  /** @throws the error of the call for these items alone: no caller fails because of another's items */
  run(items: readonly Item[]): Promise<Result> {
    const settle = Promise.withResolvers<Result>();
    this.#waiting.push({ items, settle });
    if (!this.#isRunning) void this.#pump();
    return settle.promise;
  }

  async #pump(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      await this.#callFor(together);
    }
    this.#isRunning = false;
  }

  async #callFor(together: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const result = await this.#call(together.flatMap(({ items }) => items));
      for (const { settle } of together) settle.resolve(result);
    } catch (error) {
      if (together.length === 1) return together[0]?.settle.reject(error);
      for (const one of together) await this.#callFor([one]);
    }
  }
}
