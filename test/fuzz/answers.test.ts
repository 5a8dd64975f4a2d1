/** A destination may answer anything: each attempt ends by its time-out at the latest, as an outcome. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { message, openFor } from '../harness/destinations.ts';

const TIMEOUT_MS = 150;

interface Answer {
  readonly pieces: readonly Uint8Array[];
  readonly ending: 'end' | 'reset' | 'stay open';
}

let server: Server;
let answer: Answer;
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      for (const piece of answer.pieces) socket.write(piece);
      if (answer.ending === 'end') socket.end();
      if (answer.ending === 'reset') socket.resetAndDestroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const line = (text: string) => Buffer.from(text, 'latin1');
/** What HTTP answers are made of, in any order. */
const fragment = fc.oneof(
  fc
    .constantFrom(
      ...[
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.1 503 \r\n',
        'HTTP/1.1 100 Continue\r\n\r\n',
        'HTTP/1.1 999 x\r\n',
        'HTTP/9.9 200 OK\r\n',
      ],
      ...[
        'content-length: 5\r\n',
        'content-length: -1\r\n',
        'content-length: 99999999999\r\n',
        'retry-after: 9e99\r\n',
      ],
      ...[
        'transfer-encoding: chunked\r\n',
        'connection: upgrade\r\nupgrade: x\r\n',
        '\r\n',
        '5\r\nhello\r\n',
        '0\r\n\r\n',
        'hello',
      ],
    )
    .map(line),
  fc.uint8Array({ maxLength: 40 }),
);
const answers: fc.Arbitrary<Answer> = fc.record({
  pieces: fc.array(fragment, { maxLength: 6 }),
  ending: fc.constantFrom('end', 'reset', 'stay open'),
});

test('every answer is an outcome, and none is waited for without end', async () => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const destination = openFor({ destination: { type: 'http', url, timeoutMs: TIMEOUT_MS } });
  await fc.assert(
    fc.asyncProperty(answers, async (given) => {
      answer = given;
      const sent = await destination.send(message(), Date.now());
      expect(sent?.outcome.kind).toMatch(/^(delivered|retry|refused|deauthorized|gone)$/);
    }),
    { numRuns: 60 },
  );
});

test('a request that is no longer ours when it gets its connection is not sent, and no attempt counts', async () => {
  const { port } = server.address() as AddressInfo;
  const destination = openFor({ destination: { type: 'http', url: `http://127.0.0.1:${port}/` } });
  let requests = 0;
  server.on('connection', (socket) => socket.once('data', () => requests++));
  answer = { pieces: [line('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')], ending: 'stay open' };
  expect(await destination.send(message(), Date.now(), () => false)).toBeUndefined();
  expect(requests).toBe(0);
  const sent = await destination.send(message(), Date.now(), () => true);
  expect(sent?.outcome.kind).toBe('delivered');
  expect(requests).toBe(1);
});
