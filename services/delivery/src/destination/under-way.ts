/** Counts operations that have begun and not ended, so that closing can wait for them. */
export class UnderWay {
  readonly #promises = new Set<Promise<unknown>>();

  track<T>(promise: Promise<T>): Promise<T> {
    const tracked = promise.finally(() => this.#promises.delete(tracked));
    this.#promises.add(tracked);
    return tracked;
  }

  /** Resolves when all have ended. */
  async ended(): Promise<void> {
    while (this.#promises.size > 0) await Promise.allSettled(this.#promises);
  }
}
