import type { Socket } from 'node:net';
import type { Client } from 'undici';
import type { Connector } from '../egress/egress-guard.ts';

/** How soon to look again for an idle connection while somebody waits for one: nothing tells when one becomes idle. */
const LOOK_AGAIN_MS = 20;

/**
 * The connections of all customers of a worker, never more than `max` at once. When one more is wanted, an idle one
 * makes room, the one open for longest first; while none is idle, the wish waits in line. A wish is given up by the
 * deadline of its request.
 */
export class ConnectionBudget {
  readonly #max: number;
  readonly #open = new Map<Socket, Client | undefined>();
  readonly #waiting: (() => void)[] = [];
  #dialling = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get openCount(): number {
    return this.#open.size + this.#dialling;
  }

  /** @param client whose idleness says whether its socket may make room; undefined: never */
  limit(connect: Connector, client: () => Client | undefined): Connector {
    return (options, callback) => {
      // A tunnel through a proxy is one socket, already counted.
      if (options.httpSocket) return connect(options, callback);
      this.#whenThereIsRoom(() => {
        this.#dialling++;
        connect(options, (...result) => {
          this.#dialling--;
          const [error, socket] = result;
          if (error === null) this.#track(socket, client());
          else this.#makeRoom();
          callback(...result);
        });
      });
    };
  }

  #whenThereIsRoom(dial: () => void): void {
    this.#waiting.push(dial);
    this.#makeRoom();
  }

  #track(socket: Socket, client: Client | undefined): void {
    this.#open.set(socket, client);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#makeRoom();
    });
  }

  #makeRoom(): void {
    while (this.#waiting.length > 0 && this.openCount < this.#max) this.#waiting.shift()?.();
    if (this.#waiting.length === 0) return;
    this.#closeIdle(this.#waiting.length);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#makeRoom();
    }, LOOK_AGAIN_MS).unref();
  }

  #closeIdle(count: number): void {
    let closed = 0;
    for (const [socket, client] of this.#open) {
      if (closed === count) return;
      if (client?.stats.size !== 0 || socket.destroyed) continue;
      socket.destroy();
      closed++;
    }
  }
}
