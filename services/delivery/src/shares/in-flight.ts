import { FairShares, type Share } from './fair-shares.ts';

/** An event in flight is in memory as Avro bytes, as JSON text and as the bytes of the request. */
const COPIES_IN_FLIGHT = 3;

export interface InFlightLimits {
  /** The limit of requests in flight, for all customers of the worker together. */
  readonly requests: number;
  /** The memory for events in flight, for all customers of the worker together. */
  readonly bytes: number;
}

/** The requests that a worker has in flight, and their memory, divided fairly between its customers. */
export class InFlight {
  readonly #requests: FairShares;
  readonly #bytes: FairShares;

  constructor({ requests, bytes }: InFlightLimits) {
    this.#requests = new FairShares(requests);
    this.#bytes = new FairShares(bytes);
  }

  /** @param onRoom called after a refused {@link InFlightShare.requestRoom} when there is room again */
  join(onRoom: () => void): InFlightShare {
    return new InFlightShare(this.#requests.join(onRoom), this.#bytes.join(onRoom));
  }
}

/** The requests in flight of one customer. */
export class InFlightShare {
  readonly #requests: Share;
  readonly #bytes: Share;
  #count = 0;

  constructor(requests: Share, bytes: Share) {
    this.#requests = requests;
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Returns whether a request for a record of that size may begin; if not, the customer waits for room. An event that
   * alone exceeds the customer's share is sent by itself.
   */
  requestRoom(recordBytes: number): boolean {
    return (
      this.#requests.requestRoom(1) && (this.#count === 0 || this.#bytes.requestRoom(recordBytes * COPIES_IN_FLIGHT))
    );
  }

  begin(recordBytes: number): void {
    this.#count++;
    this.#requests.take(1);
    this.#bytes.take(recordBytes * COPIES_IN_FLIGHT);
  }

  end(recordBytes: number): void {
    this.#count--;
    this.#requests.giveBack(1);
    this.#bytes.giveBack(recordBytes * COPIES_IN_FLIGHT);
  }

  leave(): void {
    this.#requests.leave();
    this.#bytes.leave();
  }
}
