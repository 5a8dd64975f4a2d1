/**
 * The destination for measurements of speed. It is a process of its own, so that its cost is not counted, and speaks
 * just enough HTTP over plain sockets to need little processor time.
 *
 * The path `/<manner>/<label>` selects the answer: `accept` answers at once, `record` also keeps id and time,
 * `wait-100` answers after 100 ms, `status-429` answers with that status, `hang` never answers.
 */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

/** Counts by path. */
export type SinkCounts = Record<string, { requests: number; firstAtMs: number; latestAtMs: number }>;

export type SinkQuestion = { readonly kind: 'reset' } | { readonly kind: 'count' } | { readonly kind: 'arrivals' };

export type SinkAnswer =
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'count'; readonly counts: SinkCounts }
  /** Arrivals by the wall clock, which the broker's append times use too. */
  | { readonly kind: 'arrivals'; readonly arrivals: [id: string, atMs: number][] };

const HEAD_END = Buffer.from('\r\n\r\n');
const PATH = /^[A-Z]+ (\S+)/;
const BODY_BYTES = /\r\ncontent-length: *(\d+)/i;
const EVENT_ID = /\r\nwebhook-id: *(\S+)/i;
const ACCEPTED = answer('204 No Content');

let counts: SinkCounts = {};
let arrivals: [string, number][] = [];

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = Buffer.alloc(0);
  let headBytes = 0;
  let totalBytes = 0;
  let head = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length > 0) {
      if (totalBytes === 0) {
        headBytes = pending.indexOf(HEAD_END);
        if (headBytes < 0) return;
        head = pending.toString('latin1', 0, headBytes);
        totalBytes = headBytes + HEAD_END.length + Number(BODY_BYTES.exec(head)?.[1] ?? 0);
      }
      if (pending.length < totalBytes) return;
      pending = pending.subarray(totalBytes);
      totalBytes = 0;
      handleRequest(head, socket);
    }
  });
});

function handleRequest(head: string, socket: Socket): void {
  const path = PATH.exec(head)?.[1] ?? '';
  const nowMs = performance.now();
  const count = counts[path];
  if (count === undefined) {
    counts[path] = { requests: 1, firstAtMs: nowMs, latestAtMs: nowMs };
  } else {
    count.requests += 1;
    count.latestAtMs = nowMs;
  }
  const [, manner = '', argument] = /^\/([a-z]+)(?:-(\d+))?/.exec(path) ?? [];
  switch (manner) {
    case 'hang':
      return;
    case 'wait':
      setTimeout(() => socket.write(ACCEPTED), Number(argument));
      return;
    case 'status':
      socket.write(answer(`${argument} Told So`, 'content-length: 0\r\n'));
      return;
    case 'record':
      arrivals.push([EVENT_ID.exec(head)?.[1] ?? '', Date.now()]);
  }
  socket.write(ACCEPTED);
}

function answer(status: string, headers = ''): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\n${headers}connection: keep-alive\r\n\r\n`);
}

const say = (message: SinkAnswer) => process.send?.(message);

process.on('message', ({ kind }: SinkQuestion) => {
  switch (kind) {
    case 'reset':
      counts = {};
      arrivals = [];
      say({ kind });
      return;
    case 'count':
      say({ kind, counts });
      return;
    case 'arrivals':
      say({ kind, arrivals });
  }
});
server.listen(0, '127.0.0.1', () => say({ kind: 'port', port: (server.address() as AddressInfo).port }));
