import type { Dispatcher } from 'undici';
import { type Trouble, troubleOf } from '../outcome.ts';

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

export interface ExchangeLimits {
  /** For everything, from the wish to connect to the answer's last byte. */
  readonly timeoutMs: number;
  readonly keptBytes?: number;
  /** Asked when there is a connection and the request is about to go out; false: it doesn't. */
  readonly mayStart?: () => boolean;
}

/** One request and its answer. Never rejects: what goes wrong is seen. */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
  finish: (seen: Seen) => void,
): void {
  const handler = new Exchange(limits, finish);
  try {
    dispatcher.dispatch(request, handler);
  } catch (error) {
    // Thrown, rather than told to the handler, once the dispatcher is closed.
    handler.onResponseError(undefined, error as Error);
  }
}

/**
 * undici's own time-outs start anew with every byte, so that an answer that drips would hold its slot for ever: here
 * one deadline covers connect, headers and body.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #finish: (seen: Seen) => void;
  readonly #deadline: NodeJS.Timeout;
  readonly #keptBytes: number;
  readonly #mayStart: ExchangeLimits['mayStart'];
  #controller: Dispatcher.DispatchController | undefined;
  #isFinished = false;
  #status = 0;
  #headers: Answered['headers'] = {};
  #kept: Buffer[] = [];
  #receivedBytes = 0;

  constructor({ timeoutMs, keptBytes = KEPT_ANSWER_BYTES, mayStart }: ExchangeLimits, finish: (seen: Seen) => void) {
    this.#finish = finish;
    this.#mayStart = mayStart;
    this.#keptBytes = keptBytes;
    this.#deadline = setTimeout(() => {
      const phase = this.#status === 0 ? 'no answer' : 'answer not complete';
      this.#end({ trouble: `${phase} within ${timeoutMs} ms`, isBlocked: false });
      this.#controller?.abort(new Error('deadline'));
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#mayStart?.() === false) {
      this.#end({ trouble: 'no longer ours to send', isBlocked: false, isWithheld: true });
    }
    // Withheld, or waiting for a connection took the whole time: it was given up before it began.
    if (this.#isFinished) controller.abort(new Error('given up'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answered['headers']): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#receivedBytes < this.#keptBytes)
      this.#kept.push(chunk.subarray(0, this.#keptBytes - this.#receivedBytes));
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > Math.max(MAX_ANSWER_BYTES, this.#keptBytes)) {
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
    clearTimeout(this.#deadline);
    this.#finish(seen);
  }
}
