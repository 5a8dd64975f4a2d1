/**
 * An end by which waits can be cut short. `Promise.race` with a long-lived promise would not do: each race leaves a
 * handler on it that is freed only when it settles, so a wait per fetch or per request would leak memory.
 */
export class Ending {
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Cuts short every wait, present and future. */
  end(): void {
    this.#hasEnded = true;
    for (const wake of this.#waiting) wake();
  }

  /**
   * Waits for the promise or the end, whichever comes first. After the end nobody handles a rejection any more: it is
   * handled here, so that it cannot end the process.
   * @returns undefined after the end
   */
  async orEnded<T>(promise: Promise<T>): Promise<T | undefined> {
    if (this.#hasEnded) {
      promise.catch(() => undefined);
      return undefined;
    }
    const end = Promise.withResolvers<undefined>();
    const wake = () => end.resolve(undefined);
    this.#waiting.add(wake);
    try {
      // biome-ignore lint/plugin: this is the place that keeps the long-lived promise out of it.
      return await Promise.race([promise, end.promise]);
    } finally {
      this.#waiting.delete(wake);
    }
  }

  /** Calls `run` at the end, or at once if that is past. @returns a function that cancels it */
  onEnd(run: () => void): () => void {
    if (this.#hasEnded) {
      run();
      return () => undefined;
    }
    this.#waiting.add(run);
    return () => this.#waiting.delete(run);
  }

  /** The waits in progress. */
  get waitingCount(): number {
    return this.#waiting.size;
  }
}
