import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What destinations do that are neither up nor down. */
export const MISBEHAVIOURS = [
  'hang',
  'reset',
  'garbage',
  'drip',
  'endless-headers',
  'endless-body',
  'half-an-answer',
  'wrong-length',
] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

/** The head of an answer takes 8 s: more than the time-out of 2 s, however late a busy machine is to end the request. */
const DRIP_EVERY_MS = 200;

/** @returns whether the sender takes it for a success: the head was complete, and its status says so */
export function misbehave(how: Misbehaviour, request: IncomingMessage, response: ServerResponse): boolean {
  const { socket } = request;
  socket.on('error', () => undefined);
  switch (how) {
    case 'hang':
      return false;
    case 'reset':
      socket.resetAndDestroy();
      return false;
    case 'garbage':
      socket.end(Buffer.from('\u0000\u00ff\u0010 no HTTP at all \r\n\r\n', 'latin1'));
      return false;
    case 'drip':
      drip(socket, `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${'x'.repeat(1_000)}`);
      return false;
    case 'endless-headers':
      socket.write('HTTP/1.1 200 OK\r\n');
      pour(socket, `x-more: ${'y'.repeat(1_000)}\r\n`);
      return false;
    case 'endless-body':
      response.writeHead(200, { 'content-type': 'text/plain' });
      pour(response.socket ?? socket, `${(4_096).toString(16)}\r\n${'z'.repeat(4_096)}\r\n`, response);
      return true;
    case 'half-an-answer':
      socket.end('HTTP/1.1 200 OK\r\ncontent-le');
      return false;
    case 'wrong-length':
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
      return true;
  }
}

/** One byte at a time. */
function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at === text.length) return clearInterval(timer);
    socket.write(text[at++] as string);
  }, DRIP_EVERY_MS);
}

/** The same piece for as long as the other side takes it. */
function pour(socket: Socket, piece: string, response?: ServerResponse): void {
  response?.flushHeaders();
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    while (!socket.destroyed && socket.writableLength < 65_536) socket.write(piece);
  }, 10);
}
