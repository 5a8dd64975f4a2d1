import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import {
  createSecureServer,
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { type Certificates, makeCertificates } from '../peers/certificates.ts';

/** What a session does with the nth request on it, from 1, of the nth session, from 1. */
export type StreamAnswer = (stream: ServerHttp2Stream, request: { nth: number; session: number }) => void;

let certificates: Promise<Certificates> | undefined;
/** One authority for a test file. */
export function authority(): Promise<Certificates> {
  certificates ??= makeCertificates();
  return certificates;
}

/** An endpoint that offers HTTP/2 and HTTP/1.1 over TLS. Over HTTP/1.1 it accepts everything. */
export class Http2Server {
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  sessions = 0;
  requests = 0;
  http1Requests = 0;

  private constructor(options: SecureServerOptions, answer: StreamAnswer) {
    this.#server = createSecureServer({ ...options, allowHTTP1: true }, (request, response) => {
      if (request.httpVersionMajor === 2) return;
      this.http1Requests += 1;
      request.resume().on('end', () => response.writeHead(200).end());
    });
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('session', (session) => {
      this.sessions += 1;
      const nthSession = this.sessions;
      let nth = 0;
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.on('stream', (stream) => {
        nth += 1;
        this.requests += 1;
        const request = { nth, session: nthSession };
        stream.on('error', () => undefined);
        stream.resume().on('end', () => answer(stream, request));
      });
    });
  }

  static async start(answer: StreamAnswer, options: SecureServerOptions = {}): Promise<Http2Server> {
    const { dir } = await authority();
    const [cert, key] = await Promise.all(['server.crt', 'server.key'].map((name) => readFile(join(dir, name))));
    const server = new Http2Server({ ...options, cert, key } as SecureServerOptions, answer);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    started.add(server);
    return server;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  stop(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** RFC 9113 §6. */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const END_STREAM_AND_HEADERS = 0x5;
const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Of a status that HPACK's static table has, or with the literal name and value. */
export function statusHeaders(stream: number, status: number, isLast: boolean): Buffer {
  // Literal without indexing, whose name is entry 8 (`:status`) of the static table.
  const block = Buffer.concat([Buffer.of(0x08, 3), Buffer.from(String(status))]);
  return frame(FRAME.headers, isLast ? END_STREAM_AND_HEADERS : 0x4, stream, block);
}

/** An HTTP/2 server that writes frames as the test says, as no library would. */
export class RawHttp2Server {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;
  requests = 0;

  /** @param onRequest when all of a request has come */
  private constructor(
    tls: { cert: Buffer; key: Buffer },
    onRequest: (socket: TLSSocket, stream: number, connection: number) => void,
  ) {
    this.#server = createServer({ ...tls, ALPNProtocols: ['h2'] }, (socket) => {
      this.connections += 1;
      const connection = this.connections;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.write(frame(FRAME.settings, 0, 0));
      let received = Buffer.alloc(0);
      let hasPreface = false;
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (!hasPreface && received.length >= PREFACE_BYTES) {
          hasPreface = true;
          received = received.subarray(PREFACE_BYTES);
        }
        while (hasPreface && received.length >= HEAD_BYTES) {
          const length = HEAD_BYTES + received.readUIntBE(0, 3);
          if (received.length < length) return;
          const [type, flags = 0] = received.subarray(3, 5);
          const stream = received.readUInt32BE(5);
          received = received.subarray(length);
          if (type === FRAME.settings && (flags & 1) === 0) socket.write(frame(FRAME.settings, 1, 0));
          const endsRequest = (type === FRAME.data || type === FRAME.headers) && (flags & 1) === 1;
          if (!endsRequest) continue;
          this.requests += 1;
          onRequest(socket, stream, connection);
        }
      });
    });
  }

  static async start(
    onRequest: (socket: TLSSocket, stream: number, connection: number) => void,
  ): Promise<RawHttp2Server> {
    const { dir } = await authority();
    const [cert, key] = await Promise.all([readFile(join(dir, 'server.crt')), readFile(join(dir, 'server.key'))]);
    const server = new RawHttp2Server({ cert, key }, onRequest);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    started.add(server);
    return server;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  get openConnections(): number {
    return [...this.#sockets].filter((socket) => !socket.destroyed).length;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const started = new Set<{ stop(): void }>();

// Some servers run in a process of their own, without tests.
globalThis.afterAll?.(() => {
  for (const server of started) server.stop();
});
