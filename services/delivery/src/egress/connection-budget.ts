import type { Socket } from 'node:net';
import type { Client } from 'undici';
import type { Connector } from './egress-guard.ts';

/** How soon to look again for an idle connection while somebody waits for one: nothing tells when one becomes idle. */
const LOOK_AGAIN_MS = 20;

/**
 * How long a pool has stood in line for the worker's budget: at least one connection that it wished for waited. That is
 * our own shortage, so the clocks of its requests stand still meanwhile: no customer is charged for it.
 */
export class Line {
  #waiting = 0;
  #sinceMs = 0;
  #pastMs = 0;

  /** In all, up to now. Only differences mean something. */
  get standstillMs(): number {
    return this.#waiting === 0 ? this.#pastMs : this.#pastMs + performance.now() - this.#sinceMs;
  }

  join(): void {
    if (this.#waiting === 0) this.#sinceMs = performance.now();
    this.#waiting += 1;
  }

  leave(): void {
    this.#pastMs = this.standstillMs;
    this.#sinceMs = performance.now();
    this.#waiting -= 1;
  }
}

/**
 * The connections of all customers of a worker, never more than `max` at once. When one more is wanted, an idle one
 * makes room, the one open for longest first; while none is idle, the wish waits in line, for as long as it takes.
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

  /**
   * @param client whose idleness says whether its socket may make room; undefined: never
   * @param line where those who wait for this connection see for how long it stood in line
   */
  limit(connect: Connector, client: () => Client | undefined, line: Line): Connector {
    return (options, callback) => {
      // A tunnel through a proxy is one socket, already counted.
      if (options.httpSocket) return connect(options, callback);
      line.join();
      this.#whenThereIsRoom(() => {
        line.leave();
        if (client()?.destroyed) return callback(new Error('closed while it stood in line'), null);
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
