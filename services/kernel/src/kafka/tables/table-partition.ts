/**
 * One partition of a compacted topic, as read so far. It is read from the start at each join, up to a target that is
 * the high watermark at the join.
 */
export class TablePartition<V> {
  readonly #values = new Map<string, V>();
  /** One past the last offset that the values reflect; it is kept through a rejoin. */
  #appliedUpTo = 0;
  /** One past the last offset read since the join. */
  #position = 0;
  #target: number | undefined;
  /** While a kept partition is read again: the keys that are still in the log. */
  #seen: Set<string> | undefined;
  #isDrained = false;
  #isCaughtUp = false;

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** Returns whether the values reflect all records before that offset. */
  reflects(end: number): boolean {
    return this.#appliedUpTo >= end;
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  entries(): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  readAgain(): void {
    this.#position = 0;
    this.#target = undefined;
    this.#isDrained = false;
    this.#isCaughtUp = false;
    this.#seen = new Set();
  }

  /** The watermarks at the join, or a little later. */
  setTarget(low: number, high: number): void {
    this.#target = low === high ? 0 : high;
    // The topic was deleted and created again: the applied offsets say nothing about it.
    if (high < this.#appliedUpTo) this.#appliedUpTo = this.#position;
  }

  /** @param value `null` for a tombstone, `undefined` for a rejected record @returns the change, if there is one */
  apply(key: string, offset: number, value: V | null | undefined): { value: V | undefined } | undefined {
    // Even a rejected record shows that its key is in the log.
    if (value === null) this.#seen?.delete(key);
    else this.#seen?.add(key);
    // The record is read again: an older value must not reappear.
    if (offset < this.#appliedUpTo) return undefined;
    this.#appliedUpTo = offset + 1;
    if (value === undefined) return undefined;
    if (value === null) return this.#values.delete(key) ? { value: undefined } : undefined;
    this.#values.set(key, value);
    return { value };
  }

  advance(nextOffset: number): void {
    this.#position = Math.max(this.#position, nextOffset);
    this.#appliedUpTo = Math.max(this.#appliedUpTo, nextOffset);
  }

  /** Notes that there is nothing more to read, whatever the position is. */
  markDrained(): void {
    this.#isDrained = true;
  }

  /** @returns the keys to be reported as removed, once, when the target is reached */
  sweep(): string[] {
    if (this.#isCaughtUp || this.#target === undefined) return [];
    if (this.#position < this.#target && !this.#isDrained) return [];
    this.#isCaughtUp = true;
    const seen = this.#seen;
    this.#seen = undefined;
    const gone = seen ? [...this.#values.keys()].filter((key) => !seen.has(key)) : [];
    for (const key of gone) this.#values.delete(key);
    return gone;
  }
}
