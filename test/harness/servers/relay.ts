import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How the way through a relay is: `cut` refuses and resets, `silent` takes everything and passes nothing on. */
export type Way = 'open' | 'cut' | 'silent' | { readonly delayMs: number };

/** A TCP relay in front of a server, whose way can be cut, silenced or slowed down at any time. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #release = new Set<() => void>();
  #targetPort: number | undefined;
  #way: Way = 'open';

  private constructor() {
    this.#server = createServer((inside) => this.#accept(inside));
  }

  /** Listens on a free port of 127.0.0.1. The target may be told later; until then the way is cut. */
  static async start(targetPort?: number): Promise<Relay> {
    const relay = new Relay();
    relay.#targetPort = targetPort;
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  leadTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** At once, for the open connections too. What was held back while silent goes on its way when that ends. */
  set way(way: Way) {
    this.#way = way;
    if (way === 'cut') for (const socket of this.#sockets) socket.resetAndDestroy();
    if (way === 'silent') return;
    for (const release of this.#release) release();
    this.#release.clear();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(inside: Socket): void {
    if (this.#way === 'cut' || this.#targetPort === undefined) {
      inside.resetAndDestroy();
      return;
    }
    const outside = connect(this.#targetPort, '127.0.0.1');
    this.#join(inside, outside);
    this.#join(outside, inside);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on('data', (chunk) => void this.#pass(chunk, from, to));
  }

  /** One chunk at a time in each direction: what waits keeps its order. */
  async #pass(chunk: Buffer, from: Socket, to: Socket): Promise<void> {
    from.pause();
    if (this.#way === 'silent') await new Promise<void>((resolve) => this.#release.add(resolve));
    if (typeof this.#way === 'object') await delay(this.#way.delayMs);
    to.write(chunk);
    from.resume();
  }
}
