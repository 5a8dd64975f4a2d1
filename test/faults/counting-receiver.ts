/**
 * A destination as a process of its own, so that it is not hurt by what hurts the services. It counts; what it counts
 * goes to its parent in batches. The parent tells it how to behave.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { misbehave } from './misbehaviour.ts';
import type { Behavior, Ping, ReceiverReport, ReceiverRequest } from './receiver-process.ts';

const REPORT_EVERY_MS = 20;

let behavior: Behavior = { kind: 'accept', delayMs: 0 };
let requests: ReceiverRequest[] = [];
let accepted: [id: string, atMs: number][] = [];
let turn = 0;

const server = createServer((request, response) => {
  const { headers } = request;
  const id = String(headers['webhook-id'] ?? '');
  const attempt = Number(headers['databridge-attempt'] ?? 0);
  requests.push({ id, attempt, worker: String(headers['x-worker'] ?? ''), atMs: Date.now() });
  request.resume().once('end', () => answer(id, request, response));
  // A cut connection is a fault like any other here.
  request.on('error', () => undefined);
});

function answer(id: string, request: IncomingMessage, response: ServerResponse): void {
  const now = behavior;
  if (now.kind === 'misbehave') {
    const how = now.how[turn++ % now.how.length];
    if (how === undefined) return;
    if (misbehave(how, request, response)) accepted.push([id, Date.now()]);
    return;
  }
  setTimeout(() => {
    if (now.kind === 'refuse') return void response.writeHead(now.status).end();
    if (response.destroyed) return;
    accepted.push([id, Date.now()]);
    response.writeHead(200).end();
  }, now.delayMs);
}

process.on('message', (message: Behavior | Ping) => {
  if (message.kind !== 'ping') {
    behavior = message;
    return;
  }
  tell();
  process.send?.('pong');
});
process.once('disconnect', () => process.exit(0));

function tell(): void {
  if (requests.length === 0 && accepted.length === 0) return;
  process.send?.({ requests, accepted } satisfies ReceiverReport);
  requests = [];
  accepted = [];
}

setInterval(tell, REPORT_EVERY_MS);

server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
