/** What HTTP/2 servers do beside answering, and what each of it means for an event. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { message, type OpenOptions, openFor } from '../harness/destinations.ts';
import {
  authority,
  FRAME,
  frame,
  Http2Server,
  RawHttp2Server,
  type StreamAnswer,
  statusHeaders,
} from '../harness/servers/http2-server.ts';

const delivered = { kind: 'delivered', status: 200 };
const accept = (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200 });
  stream.end('ok');
};

async function openAt(url: string, settings: Record<string, unknown> = {}, options: OpenOptions = {}) {
  const { ca } = await authority();
  const destination = openFor(
    { destination: { type: 'http', url, timeoutMs: 10_000, ...settings }, maxInFlight: 64, tls: { ca } },
    options,
  );
  const send = async () => (await destination.send(message(), Date.now()))?.outcome;
  return { destination, send, sendMany: (count: number) => Promise.all(Array.from({ length: count }, send)) };
}

async function at(answer: StreamAnswer, settings?: Record<string, unknown>, options?: OpenOptions) {
  const server = await Http2Server.start(answer);
  return { server, ...(await openAt(server.url, settings, options)) };
}

test('many events share one session', async () => {
  const { server, send, sendMany } = await at(accept);
  expect(await send()).toEqual(delivered);
  expect(await sendMany(20)).toEqual(Array(20).fill(delivered));
  expect([server.requests, server.http1Requests]).toEqual([21, 0]);
  expect(server.sessions).toBe(1);
});

describe.each(['HTTP_1_1_REQUIRED', 'INADEQUATE_SECURITY'] as const)('%s', (name) => {
  const code = constants[`NGHTTP2_${name}`];

  test('as the reset of a stream: HTTP/1.1 for this origin from then on', async () => {
    const { server, send } = await at((stream) => stream.close(code));
    expect(await send()).toEqual(delivered);
    expect([server.requests, server.http1Requests]).toEqual([1, 1]);
    expect(await send()).toEqual(delivered);
    expect([server.requests, server.http1Requests]).toEqual([1, 2]);
  });

  test('as the end of the session', async () => {
    const { server, send } = await at((stream) => stream.session?.goaway(code, 0));
    expect(await send()).toEqual(delivered);
    expect(await send()).toEqual(delivered);
    expect(server.http1Requests).toBe(2);
  });

  test('as the end of the session, with streams in flight that it counts as accepted', async () => {
    let streams = 0;
    const { server, sendMany } = await at((stream) => {
      streams += 1;
      if (streams === 8) stream.session?.goaway(code, 2 ** 31 - 1);
    });
    expect(await sendMany(8)).toEqual(Array(8).fill(delivered));
    expect(server.http1Requests).toBe(8);
  });

  test('many at once: each is sent again once, none is lost', async () => {
    const { server, sendMany } = await at((stream) => stream.close(code));
    expect(await sendMany(20)).toEqual(Array(20).fill(delivered));
    expect(server.http1Requests).toBe(20);
  });
});

test('EGRESS_HTTP2=false: HTTP/2 is not even offered', async () => {
  const { server, send } = await at(accept, {}, { allowHttp2: false });
  expect(await send()).toEqual(delivered);
  expect([server.sessions, server.requests, server.http1Requests]).toEqual([0, 0, 1]);
});

describe('REFUSED_STREAM', () => {
  const { NGHTTP2_REFUSED_STREAM: REFUSED } = constants;

  test('once: sent again at once', async () => {
    const { server, send } = await at((stream, { nth }) => (nth === 1 ? stream.close(REFUSED) : accept(stream)));
    expect(await send()).toEqual(delivered);
    expect(server.requests).toBe(2);
  });

  test('always: a failed attempt with a message, after few requests', async () => {
    const { server, send } = await at((stream) => stream.close(REFUSED));
    const reason = 'the server reset the HTTP/2 stream (REFUSED_STREAM)';
    expect(await send()).toEqual({ kind: 'retry', reason });
    expect(server.requests).toBeLessThanOrEqual(4);
  });
});

describe('another reset', () => {
  test.each(['INTERNAL_ERROR', 'CANCEL', 'PROTOCOL_ERROR', 'ENHANCE_YOUR_CALM', 'NO_ERROR'] as const)(
    '%s before an answer is a failed attempt, sent once',
    async (name) => {
      const { server, send } = await at((stream) => stream.close(constants[`NGHTTP2_${name}`]));
      expect(await send()).toEqual({ kind: 'retry', reason: expect.stringMatching(/HTTP\/2/) });
      expect(server.requests).toBe(1);
    },
  );

  test.each(['INTERNAL_ERROR', 'CANCEL', 'REFUSED_STREAM', 'HTTP_1_1_REQUIRED', 'NO_ERROR'] as const)(
    '%s after complete 2xx headers: the event was taken, and the attempt says what was wrong',
    async (name) => {
      const { server, send } = await at((stream) => {
        stream.respond({ ':status': 202, 'content-length': 100 });
        stream.write('half of it', () => setImmediate(() => stream.close(constants[`NGHTTP2_${name}`])));
      });
      expect(await send()).toEqual({ kind: 'delivered', status: 202, note: expect.stringMatching(/incomplete/) });
      expect([server.requests, server.http1Requests]).toEqual([1, 0]);
    },
  );

  test('after the headers of a refusal: the refusal counts', async () => {
    const { send } = await at((stream) => {
      stream.respond({ ':status': 422, 'content-length': 100 });
      stream.write('half of it', () => setImmediate(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR)));
    });
    expect(await send()).toMatchObject({ kind: 'refused', status: 422 });
  });
});

describe('GOAWAY', () => {
  test('orderly, with streams in flight that it still answers', async () => {
    const held: ServerHttp2Stream[] = [];
    const { server, send, sendMany } = await at((stream, { session }) => {
      if (session > 1) return accept(stream);
      held.push(stream);
      if (held.length < 8) return;
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR, stream.id ?? 0);
      setImmediate(() => held.forEach(accept));
    });
    expect(await sendMany(8)).toEqual(Array(8).fill(delivered));
    expect(await send()).toEqual(delivered);
    expect(server.requests).toBe(9);
  });

  test('streams above the last that was processed are sent again over another session', async () => {
    const held: ServerHttp2Stream[] = [];
    const { server, sendMany } = await at((stream, { session }) => {
      if (session > 1) return accept(stream);
      held.push(stream);
      if (held.length < 8) return;
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR, held[3]?.id ?? 0);
      setImmediate(() => held.slice(0, 4).forEach(accept));
    });
    expect(await sendMany(8)).toEqual(Array(8).fill(delivered));
    expect(server.requests).toBe(12);
  });

  test('with an error, from every session: a failed attempt with a message, after few requests', async () => {
    const { server, send } = await at((stream) => stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0));
    const reason = 'the server closed the HTTP/2 connection (ENHANCE_YOUR_CALM)';
    expect(await send()).toEqual({ kind: 'retry', reason });
    expect(server.requests).toBeLessThanOrEqual(4);
  });

  test('the connection is cut with streams in flight: failed attempts, each sent once', async () => {
    let seen = 0;
    const { server, send, sendMany } = await at((stream) => {
      seen += 1;
      if (seen > 8) return accept(stream);
      if (seen === 8) stream.session?.socket.destroy();
    });
    for (const outcome of await sendMany(8)) expect(outcome).toMatchObject({ kind: 'retry' });
    expect(server.requests).toBe(8);
    expect(await send()).toEqual(delivered);
  });
});

describe('421', () => {
  test('another session is tried at once', async () => {
    const { server, send } = await at((stream, { session }) => {
      if (session > 1) return accept(stream);
      stream.respond({ ':status': 421 }, { endStream: true });
    });
    expect(await send()).toEqual(delivered);
    expect([server.sessions, server.requests]).toEqual([2, 2]);
  });
});

test('interim answers are skipped, and a flood of them is a failed attempt', async () => {
  const few = await at((stream) => {
    for (let nth = 0; nth < 10; nth++) stream.additionalHeaders({ ':status': 103, link: '</a>' });
    accept(stream);
  });
  expect(await few.send()).toEqual(delivered);
  const many = await at((stream) => {
    for (let nth = 0; nth < 100; nth++) stream.additionalHeaders({ ':status': 103, link: '</a>' });
    accept(stream);
  });
  expect(await many.send()).toEqual({ kind: 'retry', reason: expect.stringMatching(/more than 16 interim/) });
});

describe('after its stream was reset, a server floods the session: it is closed, and the next event gets another', () => {
  const floods: [string, (stream: number) => Buffer][] = [
    ['PING', () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['acknowledged PING', () => frame(FRAME.ping, 1, 0, Buffer.alloc(8))],
    ['SETTINGS', () => frame(FRAME.settings, 0, 0)],
    ['WINDOW_UPDATE', () => frame(FRAME.windowUpdate, 0, 0, Buffer.of(0, 0, 0, 1))],
    ['interim headers', (stream) => statusHeaders(stream, 103, false)],
    ['data', (stream) => frame(FRAME.data, 0, stream, Buffer.alloc(1))],
    ['empty data', (stream) => frame(FRAME.data, 0, stream)],
    ['an unknown frame', () => frame(0xaa, 0, 0, Buffer.alloc(8))],
  ];

  test.each(floods)('%s', async (_what, make) => {
    let sent = 0;
    let isEnded: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => {
      isEnded = resolve;
    });
    const server = await RawHttp2Server.start((socket, stream, connection) => {
      if (connection > 1) return void socket.write(statusHeaders(stream, 200, true));
      socket.once('close', () => isEnded?.());
      const piece = Buffer.concat(Array.from({ length: 2_000 }, () => make(stream)));
      socket.write(statusHeaders(stream, 103, false));
      const more = () => {
        if (socket.destroyed) return;
        sent += piece.length;
        socket.write(piece, () => setImmediate(more));
      };
      more();
    });
    const { send } = await openAt(server.url, { timeoutMs: 500 });
    expect(await send()).toMatchObject({ kind: 'retry' });
    await ended;
    // What the kernel's buffers contain was never read.
    expect(sent).toBeLessThan(64 * 1_048_576);
    expect(await send()).toEqual(delivered);
  });
});
