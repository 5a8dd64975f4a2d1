import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';

/** The number of requests queued on a connection before another connection is opened. */
const PIPELINE_DEPTH = 16;
const MAX_SHARED = 4;
/**
 * The number of joins at the same time. The broker answers one request of a connection after the other, and may let a
 * join wait for seconds (`group.initial.rebalance.delay.ms`): on a shared connection it would hold up heartbeats and
 * commits of all others.
 */
const MAX_EXCLUSIVE = 64;

/**
 * The connections to one broker in its role as coordinator: some are shared by pipelined requests, and some serve one
 * join each while it lasts.
 */
export class BrokerLink {
  readonly #open: () => BrokerConnection;
  #shared: BrokerConnection[] = [];
  #idle: BrokerConnection[] = [];
  #lent = new Set<BrokerConnection>();
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(open: () => BrokerConnection) {
    this.#open = open;
  }

  get isConnected(): boolean {
    return this.#shared.some(({ isUsable }) => isUsable);
  }

  /** The shared connection with the fewest requests in flight; another is opened while all are busy. */
  shared(): BrokerConnection {
    this.#shared = this.#shared.filter(({ isUsable }) => isUsable);
    let calmest: BrokerConnection | undefined;
    for (const connection of this.#shared) {
      if (calmest === undefined || connection.inFlight < calmest.inFlight) calmest = connection;
    }
    const isBusy = calmest === undefined || calmest.inFlight >= PIPELINE_DEPTH;
    if (calmest !== undefined && (!isBusy || this.#shared.length >= MAX_SHARED)) return calmest;
    const opened = this.#open();
    this.#shared.push(opened);
    return opened;
  }

  /** Calls `run` with a connection that nobody else uses in the meantime, once one is free. */
  async exclusively<T>(run: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    while (this.#lent.size >= MAX_EXCLUSIVE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const connection = this.#takeIdle() ?? this.#open();
    if (this.#isClosed) connection.close();
    this.#lent.add(connection);
    try {
      return await run(connection);
    } finally {
      this.#lent.delete(connection);
      if (connection.isUsable) this.#idle.push(connection);
      const next = this.#waiting.shift();
      if (next) next();
      else if (this.#lent.size === 0) this.#closeIdle();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#shared, ...this.#idle, ...this.#lent]) connection.close();
    this.#shared = [];
    this.#idle = [];
  }

  #takeIdle(): BrokerConnection | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) if (idle.isUsable) return idle;
    return undefined;
  }

  /** Joins come in bursts: at a start, and when a worker joins or leaves. One connection is kept for the next. */
  #closeIdle(): void {
    for (const connection of this.#idle.splice(1)) connection.close();
  }
}
