import { FairShares, type Share } from '../shares/fair-shares.ts';

/**
 * The bytes that the lanes of a worker's customers may buffer in memory together. Each customer has a floor, and borrows
 * above it what the others leave free.
 */
export class ByteBudget {
  readonly #shares: FairShares;

  constructor(totalBytes: number) {
    this.#shares = new FairShares(totalBytes);
  }

  get bufferedBytes(): number {
    return this.#shares.used;
  }

  /** The share of one customer, which leaves when it stops. */
  join(): CustomerBytes {
    return new CustomerBytes(this.#shares.join());
  }
}

/**
 * The bytes that one customer's lanes may buffer, divided equally between the lanes that have records. Every lane may
 * buffer one record of any size, so that none is starved.
 */
export class CustomerBytes {
  readonly #share: Share;
  #lanesInUse = 0;

  constructor(share: Share) {
    this.#share = share;
  }

  /** The number of bytes that one lane may buffer at present. */
  get laneBytes(): number {
    return this.#share.allowance / Math.max(this.#lanesInUse, 1);
  }

  /** The bytes of a lane changed from `beforeBytes` to `afterBytes`. */
  updateBuffered(beforeBytes: number, afterBytes: number): void {
    this.#share.take(afterBytes - beforeBytes);
    this.#lanesInUse += Number(afterBytes > 0) - Number(beforeBytes > 0);
  }

  leave(): void {
    this.#share.leave();
  }
}
