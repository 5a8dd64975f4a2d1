import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a connection does with the nth request on it, from 1, of the nth connection, from 1. */
export type RawAnswer = (socket: Socket, request: { readonly nth: number; readonly connection: number }) => void;

/** An HTTP/1.1 server that answers byte by byte as the test says, as no HTTP library would. Requests have a length. */
export class RawServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  requests = 0;
  connections = 0;

  private constructor(answer: RawAnswer) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      const connection = this.connections;
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => undefined);
      let received = Buffer.alloc(0);
      let nth = 0;
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const end = received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(received.toString('latin1', 0, end))?.[1] ?? 0);
        if (received.length < end + 4 + length) return;
        received = Buffer.alloc(0);
        nth += 1;
        this.requests += 1;
        answer(socket, { nth, connection });
      });
    });
  }

  static async start(answer: RawAnswer | string): Promise<RawServer> {
    const server = new RawServer(typeof answer === 'string' ? (socket) => socket.write(answer, 'latin1') : answer);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    started.add(server);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const started = new Set<RawServer>();

afterAll(() => {
  for (const server of started) server.stop();
});
