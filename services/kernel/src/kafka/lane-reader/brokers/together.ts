/**
 * One request for many callers: all that ask in the same turn of the event loop share it, and all that ask while a
 * request is in progress share the next one. So a thousand groups that start cost a few requests, and a single one does
 * not wait.
 */
export class Together<Key, Answer> {
  readonly #ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Answer>>;
  readonly #maxKeys: number;
  #waiting = new Map<Key, PromiseWithResolvers<Answer | undefined>>();
  #isAsking = false;

  /** @param maxKeys the limit of keys in one request */
  constructor(ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Answer>>, maxKeys: number) {
    this.#ask = ask;
    this.#maxKeys = maxKeys;
  }

  /** @returns undefined if the answer does not mention the key @throws the error of the shared request */
  async of(key: Key): Promise<Answer | undefined> {
    const known = this.#waiting.get(key);
    if (known) return await known.promise;
    const asked = Promise.withResolvers<Answer | undefined>();
    this.#waiting.set(key, asked);
    if (!this.#isAsking) {
      this.#isAsking = true;
      setImmediate(() => void this.#askAll());
    }
    return await asked.promise;
  }

  async #askAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const some = [...this.#waiting].slice(0, this.#maxKeys);
      for (const [key] of some) this.#waiting.delete(key);
      try {
        const answers = await this.#ask(some.map(([key]) => key));
        for (const [key, asked] of some) asked.resolve(answers.get(key));
      } catch (error) {
        for (const [, asked] of some) asked.reject(error);
      }
    }
    this.#isAsking = false;
  }
}
