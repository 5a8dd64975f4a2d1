/** A destination may answer anything: each attempt ends by its time-out at the latest, as an outcome. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { AnswerHeads } from '@databridge/delivery/egress/answer-heads';
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

/** What a header line may hold: no line end. */
const value = fc.string({ maxLength: 30, unit: fc.constantFrom(...'abc :;,\t"\u00e9'.split('')) });
const lineEnd = fc.constantFrom('\r\n', '\n');
const head = (status: fc.Arbitrary<number>) =>
  fc
    .tuple(fc.constantFrom('1.0', '1.1'), status, fc.array(value, { maxLength: 4 }), lineEnd)
    .map(([version, code, values, end]) =>
      [`HTTP/${version} ${code} Any`, ...values.map((one, nth) => `x-${nth}: ${one}`), '', ''].join(end),
    );
const interims = fc.array(head(fc.integer({ min: 100, max: 199 })), { maxLength: 16 });
const final = head(fc.integer({ min: 200, max: 599 }));
const rest = fc.uint8Array({ maxLength: 200 });

/** In pieces that begin at these offsets. */
function split(data: Buffer, at: readonly number[]): Buffer[] {
  const starts = [0, ...[...at].map((one) => one % (data.length + 1)).sort((a, b) => a - b), data.length];
  return starts.slice(1).map((end, nth) => data.subarray(starts[nth], end));
}

test('interim answers are dropped and the rest passed on, byte for byte, however the network divides it', () => {
  fc.assert(
    fc.property(interims, final, rest, fc.array(fc.nat(), { maxLength: 30 }), (before, answered, body, at) => {
      let failure: Error | undefined;
      const heads = new AnswerHeads((error) => {
        failure = error;
      });
      const wanted = Buffer.concat([Buffer.from(answered, 'latin1'), body]);
      const wire = Buffer.concat([Buffer.from(before.join(''), 'latin1'), wanted]);
      // A connection answers one request after the other.
      for (let nth = 0; nth < 2; nth++) {
        heads.begin();
        const passed = Buffer.concat(split(wire, at).map((piece) => heads.pass(piece)));
        expect(passed.equals(wanted)).toBe(true);
        expect(heads.final).toBe(answered);
      }
      expect(failure).toBeUndefined();
    }),
    { numRuns: 100 },
  );
});

test('complete 2xx headers are acceptance, whatever comes before and after them', async () => {
  const { port } = server.address() as AddressInfo;
  const destination = openFor({ destination: { type: 'http', url: `http://127.0.0.1:${port}/`, timeoutMs: 5_000 } });
  const endings = fc.constantFrom<Answer['ending']>('end', 'reset');
  await fc.assert(
    fc.asyncProperty(interims, rest, fc.nat({ max: 300 }), endings, async (before, body, length, ending) => {
      const accepted = `HTTP/1.1 202 Accepted\r\ncontent-length: ${length}\r\n\r\n`;
      answer = { pieces: [Buffer.from(before.join('') + accepted, 'latin1'), body], ending };
      const sent = await destination.send(message(), Date.now());
      // A reset may overtake the headers, and then there was no answer.
      if (ending === 'end') expect(sent?.outcome).toMatchObject({ kind: 'delivered', status: 202 });
      else expect(sent?.outcome.kind).toMatch(/^(delivered|retry)$/);
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
