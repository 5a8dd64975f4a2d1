import type { Secret } from '@databridge/kernel/secret';
import type { Subscription } from '@databridge/schemas/subscription';
import type { Dispatcher } from 'undici';
import { authorizationHeaders } from '../authorize.ts';
import { type Outcome, outcomeOf } from '../outcome.ts';
import { Signer } from '../sign.ts';
import type { Destination, Message, Sent } from './destination.ts';
import type { Egress } from './dispatcher.ts';

/** The attempt log keeps this much of an answer. */
const KEPT_ANSWER_BYTES = 2_048;
/** An answer is read to its end up to here, so that the connection can be used again; past it, it is cut off. */
const MAX_ANSWER_BYTES = 65_536;

/** An HTTP endpoint: POST or PUT of the event's JSON over a keep-alive pool. Redirects are not followed. */
export class HttpDestination implements Destination {
  readonly #pool: Dispatcher;
  readonly #origin: string;
  readonly #path: string;
  readonly #method: 'POST' | 'PUT';
  readonly #timeoutMs: number;
  readonly #staticHeaders: Readonly<Record<string, string>>;
  readonly #signer: Signer | undefined;
  readonly #maxRetryAfterMs: number;

  constructor(subscription: Subscription<Secret>, maxRetryAfterMs: number, egress: Egress) {
    const { destination, authentication, signing, maxInFlight } = subscription;
    const url = new URL(destination.url);
    this.#pool = egress.openPool(url, { connections: maxInFlight, timeoutMs: destination.timeoutMs });
    this.#origin = url.origin;
    this.#path = url.pathname + url.search;
    this.#method = destination.method;
    this.#timeoutMs = destination.timeoutMs;
    this.#signer = signing && new Signer(signing.secrets);
    this.#maxRetryAfterMs = maxRetryAfterMs;
    this.#staticHeaders = {
      'user-agent': 'databridge-events/1',
      ...destination.headers,
      ...authorizationHeaders(authentication),
      'content-type': 'application/json',
    };
  }

  send(message: Message, nowMs: number): Promise<Sent> {
    const body = message.body;
    const timestampSeconds = Math.floor(nowMs / 1_000);
    const headers: Record<string, string> = {
      ...this.#staticHeaders,
      'webhook-id': message.eventId,
      'webhook-timestamp': String(timestampSeconds),
      'databridge-attempt': String(message.attempt),
      'databridge-event-type': message.eventType,
      'databridge-schema-version': message.schemaVersion,
    };
    if (message.traceparent !== undefined) headers['traceparent'] = message.traceparent;
    if (this.#signer) headers['webhook-signature'] = this.#signer.sign(message.eventId, timestampSeconds, body);
    return new Promise((resolve) => {
      const exchange = new Exchange(this.#timeoutMs, (answer) => {
        if (!('status' in answer)) return resolve({ outcome: answer.outcome });
        const outcome = outcomeOf(answer, nowMs, this.#maxRetryAfterMs);
        resolve(answer.body === '' ? { outcome } : { outcome, answerBody: answer.body });
      });
      this.#pool.dispatch({ origin: this.#origin, path: this.#path, method: this.#method, headers, body }, exchange);
    });
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

type Seen =
  | { readonly status: number; readonly retryAfter: string | undefined; readonly body: string }
  | { readonly outcome: Outcome };

/**
 * One request and its answer. undici's own time-outs start anew with every byte, so that an answer that drips would
 * hold its slot for ever: here one deadline covers connect, headers and body.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #finish: (seen: Seen) => void;
  readonly #deadline: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #isFinished = false;
  #status = 0;
  #retryAfter: string | undefined;
  #kept: Buffer[] = [];
  #receivedBytes = 0;

  constructor(timeoutMs: number, finish: (seen: Seen) => void) {
    this.#finish = finish;
    this.#deadline = setTimeout(() => {
      const phase = this.#status === 0 ? 'no answer' : 'answer not complete';
      this.#end({ outcome: { kind: 'retry', reason: `${phase} within ${timeoutMs} ms` } });
      this.#controller?.abort(new Error('deadline'));
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Waiting for a connection took the whole time: it was given up before it began.
    if (this.#isFinished) controller.abort(new Error('deadline'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (status < 200) return;
    this.#status = status;
    const retryAfter = headers['retry-after'];
    this.#retryAfter = typeof retryAfter === 'string' ? retryAfter : undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#receivedBytes < KEPT_ANSWER_BYTES)
      this.#kept.push(chunk.subarray(0, KEPT_ANSWER_BYTES - this.#receivedBytes));
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > MAX_ANSWER_BYTES) {
      // The status says all that matters; the rest is not worth reading.
      this.#answered();
      controller.abort(new Error('answer too long'));
    }
  }

  onResponseEnd(): void {
    this.#answered();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    this.#end({ outcome: { kind: 'retry', reason: describe(error) } });
  }

  #answered(): void {
    const body = this.#kept.length === 0 ? '' : Buffer.concat(this.#kept).toString('utf8');
    this.#end({ status: this.#status, retryAfter: this.#retryAfter, body });
  }

  #end(seen: Seen): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    clearTimeout(this.#deadline);
    this.#finish(seen);
  }
}

function describe(error: Error & { code?: string; cause?: unknown }): string {
  const { code } = error;
  return code === undefined ? error.message : `${code}: ${error.message}`;
}
