import { Dispatcher } from 'undici';
import type { Line } from './connection-budget.ts';

/** @param allowH2 whether HTTP/2 may be offered to the server */
export type OpenConnections = (allowH2: boolean) => Dispatcher;

/**
 * The connections to one origin. They can be exchanged for new ones, and HTTP/2 be given up, while requests are under
 * way: those end where they began.
 */
export class EgressPool extends Dispatcher {
  /** How long its requests waited for the worker's own connections. */
  readonly line: Line;
  readonly #open: OpenConnections;
  readonly #replaced = new Set<Dispatcher>();
  #allowH2: boolean;
  #current: Dispatcher;
  #closing: Promise<unknown> | undefined;

  constructor(open: OpenConnections, allowH2: boolean, line: Line) {
    super();
    this.#open = open;
    this.#allowH2 = allowH2;
    this.line = line;
    this.#current = open(allowH2);
  }

  get allowsH2(): boolean {
    return this.#allowH2;
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#current.dispatch(request, handler);
  }

  /** From the next request on by new connections: the server said that these lead to the wrong place. */
  renew(): void {
    const before = this.#current;
    this.#current = this.#open(this.#allowH2);
    this.#replaced.add(before);
    // Resolves also when a request on it fails; there is nothing to do about the failure here.
    const forget = () => this.#replaced.delete(before);
    before.close().then(forget, forget);
  }

  /** The server's HTTP/2 can't serve us: HTTP/1.1 from the next request on. Once, however many requests found out. */
  useHttp1(): void {
    if (!this.#allowH2) return;
    this.#allowH2 = false;
    this.renew();
  }

  /** Lets what is in flight finish. Closing again, or after {@link destroy}, has no further effect. */
  override async close(): Promise<void> {
    this.#closing ??= Promise.all([this.#current, ...this.#replaced].map((pool) => pool.close()));
    await this.#closing;
  }

  /** Cuts off what is in flight. */
  override async destroy(): Promise<void> {
    // undici rejects the closing of what is destroyed: to us both are the same end.
    this.#closing?.catch(() => undefined);
    this.#closing = Promise.all([this.#current, ...this.#replaced].map((pool) => pool.destroy()));
    await this.#closing;
  }
}
