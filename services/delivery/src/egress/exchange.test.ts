import { EventEmitter } from 'node:events';
import { headBefore, readingAnswers } from './answer-heads.ts';
import { exchange, type Seen } from './exchange.ts';

/** Of a keep-alive connection that is reset after it has answered a request with 200. */
function errorAfterAnswer(): Error {
  const chunks = [Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')];
  const socket = Object.assign(new EventEmitter(), { read: () => chunks.shift() ?? null, write: () => true });
  const connect = (_target: unknown, callback: (error: null, socket: unknown) => void) => callback(null, socket);
  const turn = { read: (run: () => void) => run() };
  readingAnswers(connect as never, {} as never, turn as never)({} as never, () => undefined);
  socket.on('error', () => undefined);
  socket.write();
  socket.read();
  const error = new Error('read ECONNRESET');
  socket.emit('error', error);
  return error;
}

test.each([
  ['that was sent has its answer in the head that came before the reset', true],
  ['that was not sent yet does not have the answer to an earlier request', false],
])('a request %s', (_, wasSent) => {
  const error = errorAfterAnswer();
  expect(headBefore(error)?.status).toBe(200);
  const pool = {
    ...{ generation: 0, line: { standstillMs: 0 }, allowance: { request: () => undefined, reset: () => undefined } },
    dispatch(
      _request: unknown,
      handler: { onRequestStart(c: unknown): void; onResponseError(c: unknown, e: Error): void },
    ) {
      if (wasSent) handler.onRequestStart({ abort: () => undefined });
      handler.onResponseError(undefined, error);
    },
  };
  const limits = { timeoutMs: 1_000, connectTimeoutMs: 1_000, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 };
  const seen: Seen[] = [];
  exchange(pool as never, {} as never, limits, (one) => void seen.push(one));
  expect(seen.map((one) => 'status' in one)).toEqual([wasSent]);
});
