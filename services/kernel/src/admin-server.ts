import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from './log.ts';

/** A plain answer: the status, the content type, and the body, whole or in parts. */
export interface PlainAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | AsyncIterable<string>;
}

export interface AdminServer {
  /** Such as `http://127.0.0.1:9464`. */
  readonly address: string;
  readonly port: number;
  /** Resolves when the answers in progress have ended. */
  close(): Promise<void>;
}

/**
 * Serves GET (and HEAD) of a few fixed paths, for probes and for Prometheus. It is Node's own server: a framework would
 * take a tenth of the time in which a worker loads its modules.
 * @param routes by path, such as `/healthz`
 * @throws Error if the address cannot be listened on
 */
export async function serveAdmin(
  at: { readonly host: string; readonly port: number },
  routes: Readonly<Record<string, () => PlainAnswer>>,
  log: Logger,
): Promise<AdminServer> {
  const byPath = new Map(Object.entries(routes));
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/s, '');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    let answer: PlainAnswer | undefined;
    try {
      answer = isRead ? byPath.get(path)?.() : undefined;
    } catch (err) {
      // Thrown here, it would end the process.
      log.error({ event: 'probe_failed', err, path }, 'probe or scrape failed');
      answer = json(500, { message: 'internal error; see the service log' });
    }
    send(response, answer ?? json(404, { message: `Route ${request.method}:${path} not found` })).catch(
      (err: unknown) => {
        log.info({ err, path }, 'answer to a probe or scrape cut short');
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.host, port: at.port }, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export function json(status: number, value: object): PlainAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}

async function send(response: ServerResponse, { status, contentType, body }: PlainAnswer): Promise<void> {
  response.writeHead(status, { 'content-type': contentType });
  if (typeof body === 'string') response.end(body);
  else await pipeline(Readable.from(body), response);
}
