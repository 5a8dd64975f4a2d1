import type { Dispatcher } from 'undici';
import { type Trouble, troubleOf } from '../attempt/outcome.ts';
import type { EgressPool } from './dispatcher.ts';

/** The attempt log keeps this much of an answer. */
const KEPT_ANSWER_BYTES = 2_048;
/** An answer is read to its end up to here, so that the connection can be used again; past it, it is cut off. */
const MAX_ANSWER_BYTES = 65_536;

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As much of it as was to be kept. */
  readonly body: string;
}

/** What one request came to: an answer, or in words why there was none. */
export type Seen = Answered | Trouble;

/** In ms. None is longer than the whole. */
export interface TimeLimits {
  /** For everything, from the wish to connect to the answer's last byte. */
  readonly timeoutMs: number;
  /** Until there is a connection. */
  readonly connectTimeoutMs: number;
  /** From there until the answer's headers are here. */
  readonly headersTimeoutMs: number;
  /** From there until its last byte is. */
  readonly bodyTimeoutMs: number;
}

export interface ExchangeLimits extends TimeLimits {
  readonly keptBytes?: number;
}

/**
 * One request and its answer. Never rejects: what goes wrong is seen.
 * @param mayStart asked when there is a connection and the request is about to go out; false: it doesn't
 */
export function exchange(
  pool: EgressPool,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
  finish: (seen: Seen) => void,
  mayStart?: () => boolean,
): void {
  const handler = new Exchange(limits, finish, mayStart);
  try {
    pool.dispatch(request, handler);
    handler.dispatched(pool);
  } catch (error) {
    // Thrown, rather than told to the handler, once the dispatcher is closed.
    handler.onResponseError(undefined, error as Error);
  }
}

/** A clock that stood still is looked at again no sooner. */
const MIN_REARM_MS = 20;

/**
 * undici's own time-outs start anew with every byte, so that an answer that drips would hold its slot for ever. Here
 * one timer covers all, set anew only where a phase has a limit of its own:
 *
 *     waiting (if there is no connection yet) ──onRequestStart──▶ headers ──onResponseStart──▶ body
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #finish: (seen: Seen) => void;
  readonly #mayStart: (() => boolean) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pool: EgressPool | undefined;
  /** When it began to wait, by the monotonic clock, less the pool's standstill until then. */
  #waitingSinceMs = 0;
  /** Known only where phases have limits of their own. */
  #wholeEndsAtMs = 0;
  #isPhaseLimit = false;
  #isFinished = false;
  #status = 0;
  #headers: Answered['headers'] = {};
  #kept: Buffer[] = [];
  #receivedBytes = 0;

  constructor(limits: ExchangeLimits, finish: (seen: Seen) => void, mayStart: (() => boolean) | undefined) {
    this.#limits = limits;
    this.#finish = finish;
    this.#mayStart = mayStart;
  }

  /** On a connection that is open the request went out within the call; else the wait for one begins. */
  dispatched(pool: EgressPool): void {
    if (this.#controller || this.#isFinished) return;
    this.#pool = pool;
    this.#waitingSinceMs = performance.now() - pool.line.standstillMs;
    this.#setTimer(this.#limits.connectTimeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#mayStart?.() === false) {
      this.#end({ trouble: 'no longer ours to send', isBlocked: false, isWithheld: true });
    }
    // Withheld, or the wait for a connection took too long: it was given up before it began.
    if (this.#isFinished) {
      controller.abort(new Error('given up'));
      return;
    }
    const { timeoutMs, headersTimeoutMs, bodyTimeoutMs } = this.#limits;
    const leftMs = timeoutMs - this.#waitedMs();
    if (headersTimeoutMs < timeoutMs || bodyTimeoutMs < timeoutMs) this.#wholeEndsAtMs = performance.now() + leftMs;
    this.#setTimer(leftMs, headersTimeoutMs);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answered['headers']): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (this.#wholeEndsAtMs > 0) this.#setTimer(this.#wholeEndsAtMs - performance.now(), this.#limits.bodyTimeoutMs);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { keptBytes = KEPT_ANSWER_BYTES } = this.#limits;
    if (this.#receivedBytes < keptBytes) this.#kept.push(chunk.subarray(0, keptBytes - this.#receivedBytes));
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > Math.max(MAX_ANSWER_BYTES, keptBytes)) {
      // The status says all that matters; the rest is not worth reading.
      this.#answered();
      controller.abort(new Error('answer too long'));
    }
  }

  onResponseEnd(): void {
    this.#answered();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#end(troubleOf(error));
  }

  #answered(): void {
    const body = this.#kept.length === 0 ? '' : Buffer.concat(this.#kept).toString('utf8');
    this.#end({ status: this.#status, headers: this.#headers, body });
  }

  #end(seen: Seen): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    clearTimeout(this.#timer);
    this.#finish(seen);
  }

  /** While the pool stood in line for the worker's budget, the clock stood still. */
  #waitedMs(): number {
    return this.#pool === undefined ? 0 : performance.now() - this.#pool.line.standstillMs - this.#waitingSinceMs;
  }

  #setTimer(wholeMs: number, phaseMs = wholeMs): void {
    clearTimeout(this.#timer);
    this.#isPhaseLimit = phaseMs < wholeMs;
    this.#timer = setTimeout(() => this.#timeIsUp(), Math.min(wholeMs, phaseMs));
  }

  #timeIsUp(): void {
    const { timeoutMs, connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs } = this.#limits;
    if (!this.#controller) {
      const leftMs = connectTimeoutMs - this.#waitedMs();
      // Timers may be a fraction of a millisecond early.
      if (leftMs >= 1) this.#setTimer(Math.max(leftMs, MIN_REARM_MS));
      else this.#end({ trouble: `no connection within ${connectTimeoutMs} ms`, isBlocked: false });
      return;
    }
    const hasAnswered = this.#status > 0;
    const phase = hasAnswered
      ? `answer not complete within ${bodyTimeoutMs} ms of its headers`
      : `no headers within ${headersTimeoutMs} ms of the request`;
    const whole = hasAnswered ? `answer not complete within ${timeoutMs} ms` : `no answer within ${timeoutMs} ms`;
    this.#end({ trouble: this.#isPhaseLimit ? phase : whole, isBlocked: false });
    this.#controller.abort(new Error('time is up'));
  }
}
