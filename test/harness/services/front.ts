import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Passed {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Uncompressed. */
  readonly body: string;
  /** The address that it came from. */
  readonly from: string | undefined;
}

/**
 * What becomes of the next requests. `pass` goes to the counterpart behind (answered 200 if there is none); `hang`
 * never answers; `drop` cuts the connection; `drip` sends the answer byte by byte, without end.
 */
export type Manner =
  | 'pass'
  | 'hang'
  | 'drop'
  | 'drip'
  | { status: number; headers?: Record<string, string | string[]>; body?: string | Buffer; after?: Promise<unknown> };

/** Stands before a real counterpart, or for one, and has the troubles that real ones have only now and then. */
export class Front {
  readonly passed: Passed[] = [];
  readonly #server: Server;
  readonly #upstream: URL | undefined;
  readonly #waiting = new Set<() => void>();
  manner: Manner | ((request: Passed) => Manner) = 'pass';

  private constructor(upstream: string | undefined) {
    this.#upstream = upstream === undefined ? undefined : new URL(upstream);
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks);
        const { method = '', url = '', headers } = request;
        const body = (headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString('utf8');
        const passed = { method, url, headers, body, from: request.socket.remoteAddress };
        this.passed.push(passed);
        const manner = typeof this.manner === 'function' ? this.manner(passed) : this.manner;
        void this.#answer(manner, passed, raw, response);
        for (const check of this.#waiting) check();
      });
    });
  }

  /** Listens on a free port. @param upstream such as `http://127.0.0.1:5000` */
  static async start(upstream?: string, address = '127.0.0.1'): Promise<Front> {
    const front = new Front(upstream);
    front.#server.listen(0, address);
    await once(front.#server, 'listening');
    started.add(front);
    return front;
  }

  get origin(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** Resolves when so many requests have come. */
  async came(count: number): Promise<void> {
    while (this.passed.length < count) {
      await new Promise<void>((resolve) => {
        const check = () => {
          this.#waiting.delete(check);
          resolve();
        };
        this.#waiting.add(check);
      });
    }
  }

  async #answer(manner: Manner, passed: Passed, body: Buffer, response: ServerResponse): Promise<void> {
    if (manner === 'hang') return;
    if (manner === 'drop') response.socket?.destroy();
    else if (manner === 'drip') this.#drip(response);
    else if (manner !== 'pass') {
      await manner.after;
      response.writeHead(manner.status, manner.headers).end(manner.body);
    } else if (this.#upstream) this.#forward(this.#upstream, passed, body, response);
    else response.writeHead(200).end();
  }

  #drip(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/plain' });
    const timer = setInterval(() => response.write('.'), 20);
    response.once('close', () => clearInterval(timer));
  }

  /** As it came, the host's name too: it may be signed. */
  #forward(upstream: URL, { method, url, headers }: Passed, body: Buffer, response: ServerResponse): void {
    const onward = forward(new URL(url, upstream), { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => response.socket?.destroy());
    onward.end(body);
  }

  async stop(): Promise<void> {
    started.delete(this);
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const started = new Set<Front>();

afterAll(async () => {
  await Promise.all([...started].map((front) => front.stop()));
});
