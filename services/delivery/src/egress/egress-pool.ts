import { Dispatcher, errors } from 'undici';
import type { Line } from './connection-budget.ts';
import { ReadAllowance } from './read-allowance.ts';

/** @param allowH2 whether HTTP/2 may be offered to the server */
export type OpenConnections = (allowH2: boolean) => Dispatcher;

/**
 * The connections to one origin. They can be replaced by new ones, and HTTP/2 can be given up, while requests are in
 * flight: those end on the connections where they began.
 */
export class EgressPool extends Dispatcher {
  /** The time that its requests waited for the worker's own connections. */
  readonly line: Line;
  readonly allowance: ReadAllowance;
  readonly #open: OpenConnections;
  readonly #replaced = new Set<Dispatcher>();
  #allowH2: boolean;
  #generation = 0;
  /** Opened by the first request: most customers of a worker have nothing to send most of the time. */
  #current: Dispatcher | undefined;
  #closing: Promise<unknown> | undefined;

  constructor(open: OpenConnections, allowH2: boolean, line: Line, allowance = new ReadAllowance()) {
    super();
    this.#open = open;
    this.#allowH2 = allowH2;
    this.line = line;
    this.allowance = allowance;
  }

  get allowsH2(): boolean {
    return this.#allowH2;
  }

  /** The generation of connections that a request uses which is dispatched now, for {@link renew}. */
  get generation(): number {
    return this.#generation;
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#current === undefined) {
      if (this.#closing !== undefined) throw new errors.ClientClosedError();
      this.#current = this.#open(this.#allowH2);
    }
    return this.#current.dispatch(request, handler);
  }

  /**
   * Uses new connections from the next request on: the current ones lead to the wrong place, or are broken.
   * @param generation of the request that found this out: many may find it out at the same time, and the first has
   *   renewed them
   */
  renew(generation: number): void {
    if (generation !== this.#generation) return;
    this.#generation += 1;
    const before = this.#current;
    this.#current = undefined;
    if (before === undefined) return;
    this.#replaced.add(before);
    // Resolves also when a request on it fails; there is nothing to do about the failure here.
    const forget = () => this.#replaced.delete(before);
    before.close().then(forget, forget);
  }

  /**
   * Uses HTTP/1.1 from the next request on, because the server's HTTP/2 cannot serve us. This happens once, even if
   * several requests find it out.
   */
  useHttp1(): void {
    if (!this.#allowH2) return;
    this.#allowH2 = false;
    this.renew(this.#generation);
  }

  /** Lets requests in flight finish. Closing again, or after {@link destroy}, has no further effect. */
  override async close(): Promise<void> {
    this.#closing ??= Promise.all(this.#all().map((pool) => pool.close()));
    await this.#closing;
  }

  /** Cuts off requests in flight. */
  override async destroy(): Promise<void> {
    // undici rejects the closing of a destroyed pool: for us, both have ended.
    this.#closing?.catch(() => undefined);
    this.#closing = Promise.all(this.#all().map((pool) => pool.destroy()));
    await this.#closing;
  }

  #all(): Dispatcher[] {
    return [...(this.#current ? [this.#current] : []), ...this.#replaced];
  }
}
