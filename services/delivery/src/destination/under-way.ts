/** What was begun and has not ended, so that closing can wait for it. */
export class UnderWay {
  readonly #promises = new Set<Promise<unknown>>();

  track<T>(promise: Promise<T>): Promise<T> {
    const tracked = promise.finally(() => this.#promises.delete(tracked));
    this.#promises.add(tracked);
    return tracked;
  }

  /** Resolves when nothing is. */
  async ended(): Promise<void> {
    while (this.#promises.size > 0) await Promise.allSettled(this.#promises);
  }
}
