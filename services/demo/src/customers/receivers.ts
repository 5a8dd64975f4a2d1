/** The customers' APIs. They record the events that they accepted, independently of Databridge. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receiver {
  readonly url: string;
  /** The ids of events that were answered with 2xx. */
  readonly accepted: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** @param answer returns the status for the nth request of an event; `nth` starts at 1 */
export async function startReceiver(answer: (eventId: string, nth: number, body: string) => number): Promise<Receiver> {
  const accepted = new Set<string>();
  const timesById = new Map<string, number>();
  const server = createServer((request, response) => {
    const eventId = String(request.headers['webhook-id'] ?? '');
    const nth = (timesById.get(eventId) ?? 0) + 1;
    timesById.set(eventId, nth);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = answer(eventId, nth, Buffer.concat(chunks).toString('utf8'));
      if (status < 300) accepted.add(eventId);
      response.writeHead(status).end();
    });
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/events`, accepted, stop: () => close(server) };
}

/** Returns the URL of a port where nothing listens: connections are refused. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  const port = await listen(server);
  await close(server);
  return `http://127.0.0.1:${port}/events`;
}

/** Fails about one request in four; the event id and the attempt alone decide, so every run is alike. */
export function failsNowAndThen(eventId: string, nth: number): number {
  let mixed = nth * 0x9e3779b1;
  for (const letter of eventId) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193);
  return (mixed >>> 8) % 4 === 0 ? 503 : 200;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
