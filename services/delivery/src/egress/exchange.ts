import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import type { Dispatcher } from 'undici';
import { headBefore } from './answer-heads.ts';
import { decoded } from './content-coding.ts';
import type { EgressPool } from './egress-pool.ts';
import type { ReadAllowance } from './read-allowance.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** The number of bytes of an answer that the attempt log keeps. */
export const KEPT_ANSWER_BYTES = 2_048;
/**
 * An answer is read to its end up to this many bytes, so that the connection can be used again; a longer one is cut
 * off.
 */
const MAX_ANSWER_BYTES = 65_536;
/** The limit of HTTP chunks or HTTP/2 frames of one body. Each costs a call, even if it has few bytes. */
const MAX_BODY_PIECES = 256;
/** RFC 9110 §15.2. Interim answers are counted here for HTTP/2; over HTTP/1.1 `answer-heads.ts` drops them. */
const MAX_INTERIM_ANSWERS = 16;
/** RFC 9110 §15.5.20: the request may be sent again over another connection. */
const MISDIRECTED_REQUEST = 421;
/** RFC 9113 §7. The server did not process the request. */
const REFUSED_STREAM = 0x7;
/** RFC 9113 §7. The server wants HTTP/1.1, or has no TLS that is good enough for HTTP/2. */
const WANTS_HTTP_1 = new Set([0xc, 0xd]);
/** With less time left, no other connection is tried. */
const MIN_LEFT_MS = 50;

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface Answered {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The first `keptBytes` bytes of the body, decompressed. */
  readonly body: string;
  /** Why the body is incomplete; undefined if it is complete. The status counts in both cases. */
  readonly bodyTrouble?: string;
}

/** The result of one request: an answer, or why there was none. */
export type Seen = Answered | Trouble;

/** Time limits in ms. No phase has a longer limit than the whole exchange. */
export interface TimeLimits {
  /** From the wait for a connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Until a connection is open. */
  readonly connectTimeoutMs: number;
  /** From the open connection until the answer's headers have arrived. */
  readonly headersTimeoutMs: number;
  /** From the headers until the last byte has arrived. */
  readonly bodyTimeoutMs: number;
}

export interface ExchangeLimits extends TimeLimits {
  readonly keptBytes?: number;
}

/**
 * Sends one request and reads its answer. Expected failures are values.
 *
 * **Complete headers are the answer.** Even if the body after them fails (cut off, malformed, too long, late), the
 * status decides, and `bodyTrouble` says what was wrong: an endpoint that answered 2xx has taken the event.
 *
 * A request that the server did not process because of the connection it came by (421, `HTTP_1_1_REQUIRED`,
 * `REFUSED_STREAM`, `GOAWAY`) is sent once more over another one, within the same time limits.
 * @param mayStart asked when a connection is open and the request is about to be sent; false: it is not sent
 */
export function exchange(
  pool: EgressPool,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
  finish: (seen: Seen) => void,
  mayStart?: () => boolean,
): void {
  const { generation } = pool;
  const first = new Exchange(
    limits,
    (seen) => {
      const left = limitsLeft(limits, first.spentMs);
      const isForAnother = isForAnotherConnection(seen, pool, generation);
      if (left === undefined || !isForAnother) return finish(seen);
      new Exchange(left, finish, mayStart).start(pool, request);
    },
    mayStart,
  );
  first.start(pool, request);
}

/** Makes the pool use other connections where the connection was at fault. */
function isForAnotherConnection(seen: Seen, pool: EgressPool, generation: number): boolean {
  if ('status' in seen) {
    if (seen.status !== MISDIRECTED_REQUEST) return false;
    pool.renew(generation);
    return true;
  }
  const { http2Code, isUnprocessed, isConnectionOver } = seen;
  if (http2Code !== undefined && WANTS_HTTP_1.has(http2Code)) {
    pool.useHttp1();
    return true;
  }
  // undici gives further requests to a session until its socket is closed, and reports the session's error for them.
  if (isConnectionOver) pool.renew(generation);
  return http2Code === REFUSED_STREAM || isUnprocessed === true;
}

/** @returns undefined if too little time is left for another try */
function limitsLeft(limits: ExchangeLimits, spentMs: number): ExchangeLimits | undefined {
  const timeoutMs = limits.timeoutMs - spentMs;
  if (timeoutMs < MIN_LEFT_MS) return undefined;
  const within = (limitMs: number) => Math.min(limitMs, timeoutMs);
  return {
    ...limits,
    timeoutMs,
    connectTimeoutMs: within(limits.connectTimeoutMs),
    headersTimeoutMs: within(limits.headersTimeoutMs),
    bodyTimeoutMs: within(limits.bodyTimeoutMs),
  };
}

/** The shortest interval after which the deadline of a paused clock is checked again. */
const MIN_REARM_MS = 20;

/**
 * undici restarts its own time-outs with every byte, so that an answer that arrives byte by byte would hold its slot
 * forever. Here one timer covers everything, and is restarted only where a phase has a limit of its own:
 *
 *     waiting (if there is no connection yet) ──onRequestStart──▶ headers ──onResponseStart──▶ body
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #finish: (seen: Seen) => void;
  readonly #mayStart: (() => boolean) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: Timer | undefined;
  #pool: EgressPool | undefined;
  #allowance: ReadAllowance | undefined;
  /**
   * When it began to wait, by the monotonic clock, less the time that the pool had waited for connections until then.
   */
  #waitingSinceMs = 0;
  /** When the request was sent. undici may send it again itself (HTTP/2): the time goes on. */
  #startedAtMs = 0;
  /** The time that had passed by then. */
  #waitedMs = 0;
  #isPhaseLimit = false;
  #isFinished = false;
  #interims = 0;
  #status = 0;
  #headers: AnswerHeaders = {};
  #kept: Buffer[] = [];
  #receivedBytes = 0;
  #pieces = 0;

  constructor(limits: ExchangeLimits, finish: (seen: Seen) => void, mayStart: (() => boolean) | undefined) {
    this.#limits = limits;
    this.#finish = finish;
    this.#mayStart = mayStart;
  }

  /** The time of the request so far. While the pool waited for the worker's own connections, the clock was paused. */
  get spentMs(): number {
    return this.#startedAtMs > 0 ? this.#waitedMs + systemClock.monotonicMs() - this.#startedAtMs : this.#waitingMs();
  }

  start(pool: EgressPool, request: Dispatcher.DispatchOptions): void {
    this.#allowance = pool.allowance;
    this.#allowance.request();
    try {
      pool.dispatch(request, this);
    } catch (error) {
      // Once the dispatcher is closed, it throws instead of calling the handler.
      this.onResponseError(undefined, error as Error);
    }
    // With an open connection the request was sent within the call; otherwise the wait for a connection begins.
    if (this.#controller || this.#isFinished) return;
    this.#pool = pool;
    this.#waitingSinceMs = systemClock.monotonicMs() - pool.line.standstillMs;
    this.#setTimer(this.#limits.connectTimeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#mayStart?.() === false) {
      this.#end({ trouble: 'no longer ours to send', isBlocked: false, isWithheld: true });
    }
    // The request was withheld, or the wait for a connection took too long: it ended before it began.
    if (this.#isFinished) {
      controller.abort(new Error('given up'));
      return;
    }
    if (this.#startedAtMs > 0) return;
    this.#waitedMs = this.#waitingMs();
    this.#startedAtMs = systemClock.monotonicMs();
    this.#setTimer(this.#limits.timeoutMs - this.#waitedMs, this.#limits.headersTimeoutMs);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    if (this.#isFinished) return;
    if (status < 200) {
      this.#interims += 1;
      if (this.#interims <= MAX_INTERIM_ANSWERS) return;
      const trouble = `the answer is preceded by more than ${MAX_INTERIM_ANSWERS} interim (1xx) answers`;
      this.#end({ trouble, isBlocked: false, isConnectionOver: true });
      this.#abort(controller, trouble);
      return;
    }
    this.#status = status;
    this.#headers = headers;
    const { timeoutMs, headersTimeoutMs, bodyTimeoutMs } = this.#limits;
    const hasPhases = headersTimeoutMs < timeoutMs || bodyTimeoutMs < timeoutMs;
    if (hasPhases) this.#setTimer(timeoutMs - this.spentMs, bodyTimeoutMs);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isFinished) return;
    const { keptBytes = KEPT_ANSWER_BYTES } = this.#limits;
    const maxBytes = Math.max(MAX_ANSWER_BYTES, keptBytes);
    if (this.#receivedBytes < keptBytes) this.#kept.push(chunk.subarray(0, keptBytes - this.#receivedBytes));
    this.#receivedBytes += chunk.length;
    this.#allowance?.data(chunk.length);
    this.#pieces += 1;
    let limit: string | undefined;
    if (this.#receivedBytes > maxBytes) limit = `${maxBytes} bytes`;
    else if (this.#pieces > MAX_BODY_PIECES) limit = `${MAX_BODY_PIECES} chunks`;
    if (limit === undefined) return;
    // The status decides; the rest of the answer need not be read.
    this.#endWithAnswer(`the body has more than ${limit}; the rest was not read`);
    this.#abort(controller, 'answer too long');
  }

  onResponseEnd(): void {
    this.#endWithAnswer();
  }

  onResponseError(_controller: unknown, error: Error): void {
    const trouble = troubleOf(error);
    // undici may refuse headers that were complete, or report the failure before it reports the headers. If the request
    // was not sent, the head of that connection is the answer to an earlier request: it must not count for this one.
    const head = this.#status === 0 && this.#startedAtMs > 0 ? headBefore(error) : undefined;
    if (head) {
      this.#status = head.status;
      this.#headers = head.headers;
    }
    if (this.#status === 0) this.#end(trouble);
    else this.#endWithAnswer(`${head ? 'the answer is malformed' : 'the body is incomplete'}: ${trouble.trouble}`);
  }

  #endWithAnswer(bodyTrouble?: string): void {
    const body = this.#kept.length === 0 ? '' : decoded(Buffer.concat(this.#kept), this.#headers).toString('utf8');
    const answered = { status: this.#status, headers: this.#headers, body };
    this.#end(bodyTrouble === undefined ? answered : { ...answered, bodyTrouble });
  }

  #end(seen: Seen): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#timer?.cancel();
    this.#finish(seen);
  }

  #waitingMs(): number {
    return this.#pool === undefined
      ? 0
      : systemClock.monotonicMs() - this.#pool.line.standstillMs - this.#waitingSinceMs;
  }

  #setTimer(wholeMs: number, phaseMs = wholeMs): void {
    this.#timer?.cancel();
    this.#isPhaseLimit = phaseMs < wholeMs;
    this.#timer = systemClock.after(Math.max(1, Math.min(wholeMs, phaseMs)), () => this.#onTimeout());
  }

  #onTimeout(): void {
    const { timeoutMs, connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs } = this.#limits;
    if (!this.#controller) {
      const leftMs = connectTimeoutMs - this.#waitingMs();
      // Timers may fire a fraction of a millisecond early.
      if (leftMs >= 1) this.#setTimer(Math.max(leftMs, MIN_REARM_MS));
      else this.#end({ failure: 'connect', trouble: `no connection within ${connectTimeoutMs} ms`, isBlocked: false });
      return;
    }
    if (this.#status > 0) {
      const phase = `answer not complete within ${bodyTimeoutMs} ms of its headers`;
      this.#endWithAnswer(this.#isPhaseLimit ? phase : `answer not complete within ${timeoutMs} ms`);
    } else {
      const phase = `no headers within ${headersTimeoutMs} ms of the request`;
      this.#end({ trouble: this.#isPhaseLimit ? phase : `no answer within ${timeoutMs} ms`, isBlocked: false });
    }
    this.#abort(this.#controller, 'time is up');
  }

  #abort(controller: Dispatcher.DispatchController, why: string): void {
    this.#allowance?.reset();
    controller.abort(new Error(why));
  }
}
