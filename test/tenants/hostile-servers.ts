/**
 * Servers that answer every request with a flood, over HTTP/1.1 and HTTP/2. As a process of their own and of the lowest priority: on a real
 * network they run on other machines, so that what they compute must not slow the healthy customer here.
 */
import { createServer, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { authority, FRAME, frame, RawHttp2Server, statusHeaders } from '../harness/servers/http2-server.ts';

setPriority(constants.priority.PRIORITY_LOW);
process.once('SIGTERM', () => process.exit());

const OK = 'HTTP/1.1 200 OK\r\n';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';
/**
 * Floods that contain no answer are failures, and the breaker would end them after 20 attempts. So two of three requests are
 * answered as they should be: a third of failures never opens it.
 */
const FLOODED_OF_THREE = new Set([
  'header lines without end',
  'a header line without end',
  'early hints without end',
  'headers that drip',
  'pings over HTTP/2',
]);

function floodedOf(name: string): () => boolean {
  let requests = 0;
  return () => !FLOODED_OF_THREE.has(name) || requests++ % 3 === 0;
}

const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
/** Stops a flood that nobody ends, long after the worker must have. */
const MAX_FLOOD_BYTES = 64 * 1_048_576;

/** Writes the piece again and again, as fast as it is read. */
function flood(socket: Socket, beginning: string, piece: string): void {
  let written = 0;
  socket.write(beginning);
  const more = () => {
    if (socket.destroyed || written > MAX_FLOOD_BYTES) return;
    written += piece.length;
    socket.write(piece, () => setImmediate(more));
  };
  more();
}

function drip(socket: Socket, beginning: string, piece: string): void {
  socket.write(beginning);
  const timer = setInterval(() => socket.write(piece), 5);
  socket.once('close', () => clearInterval(timer));
}

const answers: Readonly<Record<string, (socket: Socket) => void>> = {
  'header lines without end': (socket) => flood(socket, OK, 'a: b\r\n'.repeat(1_000)),
  'a header line without end': (socket) => flood(socket, `${OK}a: `, 'x'.repeat(65_536)),
  'early hints without end': (socket) =>
    flood(socket, '', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(500)),
  'thousands of tiny chunks': (socket) => socket.write(`${CHUNKED}${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`),
  'tiny chunks, one write each': (socket) => flood(socket, CHUNKED, '1\r\nx\r\n'),
  'a chunk extension without end': (socket) => flood(socket, `${CHUNKED}5;`, 'x'.repeat(65_536)),
  'headers that drip': (socket) => drip(socket, OK, 'a'),
  'a body that drips': (socket) => drip(socket, CHUNKED, '1\r\nx\r\n'),
};

for (const [name, answer] of Object.entries(answers)) {
  const isFlooded = floodedOf(name);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // One answer for each request; bodies of requests are small and come with their headers.
    socket.on('data', (data) => {
      if (!data.includes('HTTP/1.1\r\n')) return;
      if (isFlooded()) answer(socket);
      else socket.write(NO_CONTENT);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.([name, (server.address() as { port: number }).port]));
}

/** As many as 64 streams may send at once: the window of a connection is 65,535 bytes (RFC 9113 §6.9.2). */
const TINY_FRAMES = 1_000;
const PINGS = 10_000;
const overHttp2: Readonly<Record<string, (stream: number) => Buffer>> = {
  'tiny frames over HTTP/2': (stream) =>
    Buffer.concat([
      statusHeaders(stream, 200, false),
      ...Array<Buffer>(TINY_FRAMES).fill(frame(FRAME.data, 0, stream, Buffer.of(0x78))),
    ]),
  'pings over HTTP/2': () => Buffer.concat(Array<Buffer>(PINGS).fill(frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
};

for (const [name, answer] of Object.entries(overHttp2)) {
  const isFlooded = floodedOf(name);
  const server = await RawHttp2Server.start((socket, stream) =>
    socket.write(isFlooded() ? answer(stream) : statusHeaders(stream, 204, true)),
  );
  process.send?.([name, Number(new URL(server.url).port), (await authority()).ca]);
}
