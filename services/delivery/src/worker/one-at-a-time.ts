/** Runs the work for one key (a customer) one after the other; keys do not wait for each other. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<void>>();

  /** @param work must not reject */
  run(key: string, work: () => Promise<void>): void {
    const done = (this.#last.get(key) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
    this.#last.set(key, done);
  }

  /** Resolves when all work is done. */
  async ended(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
