import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Formatted } from '@databridge/schemas/destination/kind';
import { VARIATION_AGE_SECONDS } from '@databridge/schemas/records/test-variation';
import { type Outcome, outcomeOf, outcomeOfTrouble } from '../../attempt/outcome.ts';
import { type Authorizer, type Headers, sendAuthorized } from '../../authorization/authorizer.ts';
import type { EgressPool } from '../../egress/egress-pool.ts';
import { exchange, KEPT_ANSWER_BYTES, type Seen, type TimeLimits } from '../../egress/exchange.ts';
import type { Destination, Message, Sent } from '../destination.ts';
import type { Redaction } from '../redaction.ts';
import { UnderWay } from '../under-way.ts';
import type { Handshake } from './handshake.ts';
import type { Signer } from './sign.ts';

/** Below this size in bytes, compressing costs more than it saves. */
const MIN_GZIP_BYTES = 1_024;

export interface HttpOptions {
  readonly url: URL;
  readonly method: 'POST' | 'PUT';
  readonly limits: TimeLimits;
  /**
   * The headers that are the same for every request: those of the subscription, and the authentication if it does not
   * change.
   */
  readonly headers: Headers;
  readonly pool: EgressPool;
  readonly format: (message: Message) => Formatted;
  readonly redaction: Redaction;
  /** A longer `Retry-After` is cut to this many ms. */
  readonly maxRetryAfterMs: number;
  readonly maxBodyBytes?: number;
  readonly signer?: Signer;
  readonly authorizer?: Authorizer;
  readonly handshake?: Handshake;
  readonly gzip?: boolean;
}

interface Request {
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly keepsAnswer: boolean;
}

/** An HTTP endpoint: POST or PUT of the event over a keep-alive pool. Redirects are not followed. */
export class HttpDestination implements Destination {
  readonly #options: HttpOptions;
  readonly #origin: string;
  readonly #path: string;
  /** True if a delivery is one request: it needs no token, no compression and no handshake. */
  readonly #isPlain: boolean;
  /** The pool knows the requests that it was given, but not those that still wait for a token. */
  readonly #underWay = new UnderWay();
  #isAborted = false;

  constructor(options: HttpOptions) {
    const { url, authorizer, handshake } = options;
    this.#options = options;
    this.#origin = url.origin;
    this.#path = url.pathname + url.search;
    this.#isPlain = authorizer === undefined && handshake === undefined && options.gzip !== true;
  }

  send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined> {
    const { maxBodyBytes } = this.#options;
    const request = this.#compose(message, nowMs);
    if (maxBodyBytes !== undefined && request.body.length > maxBodyBytes) {
      const reason = `too large: ${request.body.length} bytes, and the destination takes ${maxBodyBytes}`;
      return Promise.resolve({ outcome: { kind: 'refused', reason } });
    }
    return this.#isPlain
      ? this.#exchange(request, nowMs, mayStart)
      : this.#underWay.track(this.#prepareAndExchange(request, nowMs, mayStart));
  }

  async close(): Promise<void> {
    await this.#underWay.ended();
    await this.#options.pool.close();
    await this.#options.authorizer?.close();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    await Promise.all([this.#options.pool.destroy(), this.#options.authorizer?.close()]);
  }

  #compose(message: Message, nowMs: number): Request {
    const { headers: staticHeaders, format, signer } = this.#options;
    const { headers: formatted, body } = format(message);
    const { variation } = message;
    const ageSeconds = variation === undefined ? 0 : (VARIATION_AGE_SECONDS[variation] ?? 0);
    const timestampSeconds = Math.floor(nowMs / 1_000) - ageSeconds;
    const headers: Record<string, string> = {
      ...staticHeaders,
      ...formatted,
      'webhook-id': message.eventId,
      'webhook-timestamp': String(timestampSeconds),
      'databridge-attempt': String(message.attempt),
      'databridge-event-type': message.eventType,
      'databridge-schema-version': message.schemaVersion,
    };
    if (message.traceparent !== undefined) headers['traceparent'] = message.traceparent;
    const signature = signer && signatureOf(signer, message, timestampSeconds, body);
    if (signature !== undefined) headers['webhook-signature'] = signature;
    return { headers, body, keepsAnswer: message.keepsAnswer === true };
  }

  /** handshake ─▶ compress ─▶ authorize ─▶ exchange ─▶ on 401 or 403: authorize again, exchange once more */
  async #prepareAndExchange(
    request: Request,
    nowMs: number,
    mayStart: (() => boolean) | undefined,
  ): Promise<Sent | undefined> {
    const { handshake, authorizer } = this.#options;
    const forbidden = await handshake?.permission();
    if (forbidden) return this.#told({ outcome: forbidden });
    const packed = await this.#pack(request);
    if (!authorizer) return this.#exchange(packed, nowMs, mayStart);
    const { method, url } = this.#options;
    const { headers, body } = packed;
    const send = async (added: Headers) => ({
      sent: await this.#exchange({ ...packed, headers: { ...headers, ...added } }, nowMs, mayStart),
    });
    const result = await sendAuthorized(authorizer, { method, url, headers, body }, nowMs, send, statusOf);
    return 'sent' in result ? result.sent : this.#told(result);
  }

  async #pack(request: Request): Promise<Request> {
    if (this.#options.gzip !== true || request.body.length < MIN_GZIP_BYTES) return request;
    const body = await promisify(gzip)(request.body);
    return { ...request, headers: { ...request.headers, 'content-encoding': 'gzip' }, body };
  }

  #exchange(
    { headers, body, keepsAnswer }: Request,
    nowMs: number,
    mayStart?: () => boolean,
  ): Promise<Sent | undefined> {
    const { pool, method, limits } = this.#options;
    const request = { origin: this.#origin, path: this.#path, method, headers, body };
    const keptBytes = this.#options.redaction.windowBytes(KEPT_ANSWER_BYTES);
    return new Promise((resolve) => {
      exchange(
        pool,
        request,
        { ...limits, keptBytes },
        (seen) => resolve(this.#judge(seen, nowMs, keepsAnswer)),
        mayStart,
      );
    });
  }

  #judge(seen: Seen, nowMs: number, keepsAnswer: boolean): Sent | undefined {
    if ('trouble' in seen && seen.isWithheld) return undefined;
    if ('trouble' in seen) return this.#told({ outcome: outcomeOfTrouble(seen) });
    const answer = { status: seen.status, retryAfter: seen.headers['retry-after'], bodyTrouble: seen.bodyTrouble };
    const outcome = outcomeOf(answer, nowMs, this.#options.maxRetryAfterMs);
    if (seen.body === '' || (outcome.kind === 'delivered' && !keepsAnswer)) return { outcome };
    // Redacted before it is truncated: otherwise the first part of a secret might remain.
    return { outcome, answerBody: this.#options.redaction.apply(seen.body, KEPT_ANSWER_BYTES) };
  }

  /** After `abort`, a failure says nothing about the destination. */
  #told(sent: { readonly outcome: Outcome }): Sent | undefined {
    return this.#isAborted ? undefined : sent;
  }
}

/** @returns undefined for a test that must be unsigned */
function signatureOf(signer: Signer, { eventId, variation }: Message, seconds: number, body: Buffer) {
  if (variation === 'unsigned') return undefined;
  const signed = (bytes: Buffer) => signer.sign(eventId, seconds, bytes);
  const ofAnother = () => signed(Buffer.concat([body, Buffer.from(' ')]));
  if (variation === 'forged') return ofAnother();
  return variation === 'rotated' ? `${ofAnother()} ${signed(body)}` : signed(body);
}

function statusOf({ sent }: { readonly sent: Sent | undefined }): number | undefined {
  return sent && 'status' in sent.outcome ? sent.outcome.status : undefined;
}
