/**
 * The bytes that a worker's lanes may hold together. Every lane may hold one record whatever its size, so that none
 * is starved; beyond that each gets an equal share of the whole.
 */
export class ByteBudget {
  readonly #totalBytes: number;
  #heldBytes = 0;
  #holders = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What one lane may hold at the moment, in bytes. */
  get shareBytes(): number {
    return this.#totalBytes / Math.max(this.#holders, 1);
  }

  /** A lane's holding changed from `beforeBytes` to `afterBytes`. */
  changed(beforeBytes: number, afterBytes: number): void {
    this.#heldBytes += afterBytes - beforeBytes;
    this.#holders += Number(afterBytes > 0) - Number(beforeBytes > 0);
  }
}
