import type { Socket } from 'node:net';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import type { buildConnector, Client } from 'undici';
import type { Connector } from './egress-guard.ts';

/**
 * The delay until the next search for an idle connection while a dial waits for one: undici doesn't report when one
 * becomes idle.
 */
const LOOK_AGAIN_MS = 20;

/**
 * The time that a pool has waited for the worker's connections: at least one connection that it wanted was not dialed
 * yet. The shortage is our own, so the time limits of its requests pause meanwhile, and no customer is charged for it.
 */
export class Line {
  #waiting = 0;
  #sinceMs = 0;
  #pastMs = 0;

  /** The total up to now. Only differences are meaningful. */
  get standstillMs(): number {
    return this.#waiting === 0 ? this.#pastMs : this.#pastMs + systemClock.monotonicMs() - this.#sinceMs;
  }

  join(): void {
    if (this.#waiting === 0) this.#sinceMs = systemClock.monotonicMs();
    this.#waiting += 1;
  }

  leave(): void {
    this.#pastMs = this.standstillMs;
    this.#sinceMs = systemClock.monotonicMs();
    this.#waiting -= 1;
  }
}

/** A connection that a pool waits for. */
interface Wish {
  readonly connect: Connector;
  readonly options: buildConnector.Options;
  readonly callback: buildConnector.Callback;
  /** The client whose idleness decides whether the socket may be closed for another; undefined: never. */
  readonly client: () => Client | undefined;
  readonly line: Line;
}

/** The connections of one customer: those that are open or being dialed, and those that it waits for. */
class Holding {
  readonly waiting: Wish[] = [];
  count = 0;
}

/**
 * The connections of all customers of a worker, never more than `max` at once. When connections are short, the customer
 * with the fewest gets the next one, and the customer with the most gives up an idle one; while none is idle, the
 * request for a connection waits. How many requests of a customer want connections at all is bounded by its share of
 * the requests in flight (shares/in-flight.ts): there are never more of these than connections, so a customer within
 * its share waits for an idle connection to be closed, and for nothing else.
 */
export class ConnectionBudget {
  readonly #max: number;
  readonly #onFault: (error: unknown) => void;
  readonly #open = new Map<Socket, { readonly client: Client | undefined; readonly holding: Holding }>();
  readonly #holdings = new Map<string, Holding>();
  #count = 0;
  #waitingCount = 0;
  #isDialling = false;
  #timer: Timer | undefined;

  /**
   * @param onFault receives what a caller's callback throws: it must not end another customer's dial, nor the process
   */
  constructor(max: number, onFault: (error: unknown) => void = (error) => process.emitWarning(error as Error)) {
    this.#max = max;
    this.#onFault = onFault;
  }

  get openCount(): number {
    return this.#count;
  }

  /**
   * @param client the client whose idleness decides whether its socket may be closed for another; undefined: never
   * @param line records for those who wait for this connection how long they waited
   * @param customer whose connections these are
   */
  limit(connect: Connector, client: () => Client | undefined, line: Line, customer = ''): Connector {
    return (options, callback) => {
      // A tunnel through a proxy is one socket, which is counted already.
      if (options.httpSocket) return connect(options, callback);
      line.join();
      this.#waitingCount++;
      this.#holdingOf(customer).waiting.push({ connect, options, callback, client, line });
      this.#makeRoom();
    };
  }

  #holdingOf(customer: string): Holding {
    const known = this.#holdings.get(customer);
    if (known) return known;
    const holding = new Holding();
    this.#holdings.set(customer, holding);
    return holding;
  }

  #makeRoom(): void {
    // A dial that fails within the call also frees its place: the loop that is running handles it, and not a nested
    // one.
    if (this.#isDialling) return;
    this.#isDialling = true;
    while (this.#waitingCount > 0 && this.#count < this.#max) this.#dialNext();
    this.#isDialling = false;
    if (this.#waitingCount === 0) return;
    this.#closeIdle(this.#waitingCount);
    this.#timer ??= systemClock.after(
      LOOK_AGAIN_MS,
      () => {
        this.#timer = undefined;
        this.#makeRoom();
      },
      { isBackground: true },
    );
  }

  /** For the customer with the fewest connections; of several, for the one that waits longest. */
  #dialNext(): void {
    let next: readonly [string, Holding] | undefined;
    for (const [customer, holding] of this.#holdings) {
      if (holding.count === 0 && holding.waiting.length === 0) this.#holdings.delete(customer);
      else if (holding.waiting.length > 0 && (next === undefined || holding.count < next[1].count)) {
        next = [customer, holding];
      }
    }
    const wish = next?.[1].waiting.shift();
    if (next === undefined || wish === undefined) return;
    const [customer, holding] = next;
    // Moves the customer to the end of the order.
    this.#holdings.delete(customer);
    this.#holdings.set(customer, holding);
    this.#waitingCount--;
    wish.line.leave();
    this.#dial(wish, holding);
  }

  #dial(wish: Wish, holding: Holding): void {
    const client = wish.client();
    if (client?.destroyed) {
      this.#tell(wish, new Error('closed while it waited for a connection'), null);
      return;
    }
    const slot = this.#takeSlot(holding);
    let isSettled = false;
    const settle: buildConnector.Callback = (...[error, socket]) => {
      if (isSettled) {
        socket?.destroy();
        return;
      }
      isSettled = true;
      if (error !== null) {
        slot[Symbol.dispose]();
        this.#tell(wish, error, null);
      } else {
        this.#keep(socket, slot, { client: wish.client(), holding });
        this.#tell(wish, null, socket);
      }
    };
    try {
      wish.connect(wish.options, settle);
    } catch (error) {
      settle(error as Error, null);
    }
  }

  /** The connection is counted until it is disposed of, once. */
  #takeSlot(holding: Holding): Disposable {
    this.#count++;
    holding.count++;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#count--;
        holding.count--;
        this.#makeRoom();
      },
    };
  }

  #keep(socket: Socket, slot: Disposable, of: { client: Client | undefined; holding: Holding }): void {
    const release = () => {
      this.#open.delete(socket);
      slot[Symbol.dispose]();
    };
    // A connection that was closed in the meantime is not reported any more.
    if (socket.closed) {
      release();
      return;
    }
    this.#open.set(socket, of);
    socket.once('close', release);
  }

  #tell({ callback }: Wish, ...result: Parameters<buildConnector.Callback>): void {
    try {
      callback(...result);
    } catch (error) {
      result[1]?.destroy();
      this.#onFault(error);
    }
  }

  /** Connections of the customer with the most connections come first, and among these the oldest. */
  #closeIdle(count: number): void {
    const open = [...this.#open];
    const closingCount = open.filter(([socket]) => socket.destroyed).length;
    const idle = open.filter(([socket, { client }]) => client?.stats.size === 0 && !socket.destroyed);
    idle.sort(([, a], [, b]) => b.holding.count - a.holding.count);
    for (const [socket] of idle.slice(0, Math.max(0, count - closingCount))) socket.destroy();
  }
}
