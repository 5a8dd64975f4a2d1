/** What HTTP endpoints answer on the wire, as no HTTP library would write it, and what each answer means. */
import { message, openFor } from '../harness/destinations.ts';
import { type RawAnswer, RawServer } from '../harness/servers/raw-server.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const times = { timeoutMs: 10_000 };

async function sentTo(answer: RawAnswer | string, settings: Record<string, unknown> = times, count = 1) {
  const server = await RawServer.start(answer);
  const destination = openFor({ destination: { type: 'http', url: server.url, ...settings }, maxInFlight: 1 });
  const outcomes = [];
  for (let nth = 0; nth < count; nth++) outcomes.push((await destination.send(message(), Date.now()))?.outcome);
  return { outcomes, outcome: outcomes[0], server };
}

const delivered = { kind: 'delivered', status: 200 };
const notedAs = (note: RegExp) => ({ ...delivered, note: expect.stringMatching(note) });

describe('interim answers are skipped', () => {
  test.each([
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['100 without a reason', 'HTTP/1.1 100 \r\n\r\n'],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103 with headers', 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\nlink: </b>; rel=preload\r\n\r\n'],
    ['100 with headers', 'HTTP/1.1 100 Continue\r\nserver: x\r\ncontent-length: 0\r\n\r\n'],
    ['a number that nobody knows', 'HTTP/1.1 199 Whatever\r\n\r\n'],
    ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    [
      'ten of them',
      'HTTP/1.1 100 Continue\r\n\r\n'.repeat(5) + 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(5),
    ],
    ['empty lines before it', '\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'],
    ['line feeds alone', 'HTTP/1.1 100 Continue\nserver: x\n\n'],
    ['HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
  ])('%s', async (_what, interim) => {
    const together = await sentTo(interim + OK, times, 3);
    expect(together.outcomes).toEqual([delivered, delivered, delivered]);
    expect(together.server.connections).toBeLessThan(3);
    const apart = await sentTo((socket) => socket.write(interim, () => setImmediate(() => socket.write(OK))), times, 2);
    expect(apart.outcomes).toEqual([delivered, delivered]);
    const byteByByte = await sentTo((socket) => {
      for (const byte of Buffer.from(interim + OK)) socket.write(Buffer.of(byte));
    });
    expect(byteByByte.outcome).toEqual(delivered);
  });

  test('before a refusal and before the server’s trouble as well', async () => {
    const after = (status: number) => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 ${status} x\r\ncontent-length: 0\r\n\r\n`;
    expect((await sentTo(after(503))).outcome).toEqual({ kind: 'retry', reason: 'status 503', status: 503 });
    expect((await sentTo(after(422))).outcome).toEqual({ kind: 'refused', reason: 'status 422', status: 422 });
  });

  test('after a 101 nothing but HTTP is taken', async () => {
    const { outcome } = await sentTo('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n\x81\x05hello');
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/HTTP/) });
  });

  test.each([
    ['hints without end', 'HTTP/1.1 103 Early Hints\r\n\r\n', /more than 16 interim/],
    ['header lines without end', 'HTTP/1.1 200 OK\r\n', /header/],
    ['one interim answer of many lines', 'HTTP/1.1 103 Early Hints\r\n', /header/],
  ])('%s are a failed attempt, soon', async (_what, beginning, reason) => {
    const piece = beginning.endsWith('\r\n\r\n') ? beginning : 'a: b\r\n';
    const { outcome } = await sentTo((socket) => {
      socket.write(beginning);
      const more = () => {
        if (!socket.destroyed) socket.write(piece.repeat(100), () => setImmediate(more));
      };
      more();
    });
    expect(outcome).toEqual({ kind: 'retry', reason: expect.stringMatching(reason) });
  });
});

describe('complete headers are the answer, whatever becomes of the body', () => {
  const head = (headers: string) => `HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`;
  const chunked = head('transfer-encoding: chunked');

  test.each<[string, RawAnswer, RegExp]>([
    ['shorter than its length', (socket) => socket.end(`${head('content-length: 22661')}hello world`), /incomplete/],
    [
      'shorter, then a reset',
      (socket) => socket.write(`${head('content-length: 9')}ab`, () => socket.resetAndDestroy()),
      /./,
    ],
    ['no chunk size', (socket) => socket.end(`${chunked}zz\r\nhello\r\n`), /./],
    ['a chunk that is too long', (socket) => socket.end(`${chunked}2\r\nhello\r\n0\r\n\r\n`), /./],
    ['chunks without an end', (socket) => socket.end(`${chunked}5\r\nhello\r\n`), /./],
    ['a bad trailer', (socket) => socket.end(`${chunked}5\r\nhello\r\n0\r\nbad trailer\r\n\r\n`), /./],
    ['no body at all', (socket) => socket.end(head('content-length: 5')), /./],
    [
      'a reset after the headers',
      (socket) => socket.write(head('content-length: 5'), () => socket.resetAndDestroy()),
      /./,
    ],
    [
      'larger than what is read',
      (socket) => socket.write(`${head('content-length: 999999')}${'x'.repeat(200_000)}`),
      /65536 bytes/,
    ],
    ['tiny chunks without end', (socket) => drip(socket, chunked, '1\r\nx\r\n'.repeat(200)), /256 chunks/],
    [
      'a chunk extension without end',
      (socket) => drip(socket, `${chunked}5;`, 'x'.repeat(50_000)),
      /longer than 327680 bytes/,
    ],
    [
      'Content-Length and chunks',
      (socket) => socket.end(`${head('content-length: 5\r\ntransfer-encoding: chunked')}0\r\n\r\n`),
      /./,
    ],
    [
      'two different lengths',
      (socket) => socket.end(`${head('content-length: 2\r\ncontent-length: 3')}ok`),
      /malformed/,
    ],
    ['a length that is none', (socket) => socket.end(`${head('content-length: two')}ok`), /malformed/],
    [
      'a control character in a header',
      (socket) => socket.end(`${head('x-a: b\x01c\r\ncontent-length: 2')}ok`),
      /malformed/,
    ],
    ['a header of 200 KB', (socket) => socket.write(head(`x-a: ${'a'.repeat(200_000)}`)), /32768 bytes of headers/],
    ['3,000 header lines', (socket) => socket.write(head(Array(3_000).fill('a: b').join('\r\n'))), /512 header lines/],
    ['a version without a dot', (socket) => socket.end('HTTP/2 200 \r\ncontent-length: 2\r\n\r\nok'), /malformed/],
    ['a tab before the status', (socket) => socket.end('HTTP/1.1\t200 OK\r\ncontent-length: 2\r\n\r\nok'), /malformed/],
    ['a space before the colon', (socket) => socket.end(`${head('server : x\r\ncontent-length: 2')}ok`), /malformed/],
  ])('%s', async (_what, answer, note) => {
    expect((await sentTo(answer)).outcome).toEqual(notedAs(note));
  });

  test('a body that does not come in time', async () => {
    const { outcome } = await sentTo(`${head('content-length: 5')}ab`, { ...times, bodyTimeoutMs: 200 });
    expect(outcome).toEqual(notedAs(/not complete within 200 ms of its headers/));
  });

  test('gzip that is none', async () => {
    const { outcome } = await sentTo(`${head('content-encoding: gzip\r\ncontent-length: 2')}ok`);
    expect(outcome).toEqual(delivered);
  });

  test('equal lengths twice', async () => {
    const { outcome } = await sentTo(`${head('content-length: 2\r\ncontent-length: 2')}ok`);
    expect(outcome).toEqual(delivered);
  });

  test('of other answers the status counts as well, and the wait that they ask for', async () => {
    const broken =
      (status: number, headers = '') =>
      (socket: import('node:net').Socket) =>
        socket.end(`HTTP/1.1 ${status} x\r\n${headers}content-length: 99\r\n\r\nab`);
    expect((await sentTo(broken(422))).outcome).toMatchObject({ kind: 'refused', status: 422 });
    expect((await sentTo(broken(410))).outcome).toMatchObject({ kind: 'gone', status: 410 });
    const waiting = { kind: 'retry', status: 503, retryAfterMs: 7_000 };
    expect((await sentTo(broken(503, 'retry-after: 7\r\n'))).outcome).toMatchObject(waiting);
    expect((await sentTo(broken(503, 'retry-after: 7\r\nx y: z\r\n'))).outcome).toMatchObject(waiting);
  });

  test('headers that are not complete are no answer', async () => {
    const { outcome } = await sentTo((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n'));
    expect(outcome).toMatchObject({ kind: 'retry' });
  });
});

describe('an answer that is not HTTP is a failed attempt with a message', () => {
  test.each(['000', '001', '099'])('status %s', async (status) => {
    const { outcome } = await sentTo(`HTTP/1.1 ${status} Odd\r\ncontent-length: 0\r\n\r\n`);
    expect(outcome).toEqual({
      kind: 'retry',
      reason: `the answer is with the status ${status}, which does not exist`,
    });
  });

  test.each(['600', '999'])('status %s is treated as 5xx (RFC 9110 §15)', async (status) => {
    const { outcome } = await sentTo(`HTTP/1.1 ${status} Odd\r\ncontent-length: 0\r\n\r\n`);
    expect(outcome).toEqual({ kind: 'retry', reason: `status ${status}`, status: Number(status) });
  });

  test.each(['SSH-2.0-OpenSSH_9.6\r\n', '220 mail.acme.example ESMTP\r\n', '<html>hello</html>'])(
    '%j',
    async (greeting) => {
      const { outcome } = await sentTo(greeting);
      expect(outcome).toMatchObject({ kind: 'retry' });
      expect(outcome).not.toMatchObject({ reason: expect.stringMatching(/ASSERT/) });
    },
  );
});

describe('Retry-After', () => {
  test.each([
    ['twice the same', 'retry-after: 7\r\nretry-after: 7', 7_000],
    ['twice: the longer counts', 'retry-after: 7\r\nretry-after: 9', 9_000],
    ['joined by a proxy', 'retry-after: 7, 7', 7_000],
    ['with spaces', 'retry-after:    7   ', 7_000],
    ['huge', 'retry-after: 99999999999999999999', 3_600_000],
    ['negative', 'retry-after: -7', undefined],
    ['no number', 'retry-after: soon', undefined],
    ['one of two is a number', 'retry-after: soon\r\nretry-after: 7', 7_000],
  ])('%s', async (_what, header, retryAfterMs) => {
    const { outcome } = await sentTo(`HTTP/1.1 429 x\r\n${header}\r\ncontent-length: 0\r\n\r\n`);
    const expected = { kind: 'retry', reason: 'status 429', status: 429 };
    expect(outcome).toEqual(retryAfterMs === undefined ? expected : { ...expected, retryAfterMs });
  });

  test('a date', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { outcome } = await sentTo(
      `HTTP/1.1 503 x\r\nretry-after: ${date}\r\nretry-after: ${date}\r\ncontent-length: 0\r\n\r\n`,
    );
    const { retryAfterMs = 0 } = outcome as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThan(30_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });
});

describe('421', () => {
  const MISDIRECTED = 'HTTP/1.1 421 Misdirected Request\r\ncontent-length: 0\r\n\r\n';

  test('another connection is tried at once', async () => {
    const { outcome, server } = await sentTo((socket, { connection }) =>
      socket.write(connection === 1 ? MISDIRECTED : OK),
    );
    expect(outcome).toEqual(delivered);
    expect([server.connections, server.requests]).toEqual([2, 2]);
  });

  test('from another connection as well: retry', async () => {
    const { outcome, server } = await sentTo(MISDIRECTED);
    expect(outcome).toEqual({ kind: 'retry', reason: 'status 421', status: 421 });
    expect([server.connections, server.requests]).toEqual([2, 2]);
  });
});

function drip(socket: import('node:net').Socket, beginning: string, piece: string): void {
  socket.write(beginning);
  const more = () => {
    if (!socket.destroyed) socket.write(piece, () => setImmediate(more));
  };
  more();
}
