import type { AwsService } from '@databridge/schemas/destination/aws/aws-service';
import { type Outcome, outcomeOfTrouble } from '../../attempt/outcome.ts';
import { type Authorizer, type Headers, sendAuthorized } from '../../authorization/authorizer.ts';
import type { EgressPool } from '../../egress/egress-pool.ts';
import { exchange, type Seen, type TimeLimits } from '../../egress/exchange.ts';
import type { Destination, Message, Sent } from '../destination.ts';
import type { Redaction } from '../redaction.ts';
import { UnderWay } from '../under-way.ts';
import { MAX_AWS_ANSWER_BYTES } from './aws-requests.ts';

/** AWS, or a server at its address, may send a message of any length. */
const SHOWN_REASON_CHARS = 500;

export interface AwsOptions {
  readonly service: AwsService;
  readonly pool: EgressPool;
  readonly limits: TimeLimits;
  /** Signs requests for the service. The credentials come from STS if the subscription names a role. */
  readonly authorizer: Authorizer;
  readonly redaction: Redaction;
}

interface Waiting {
  readonly message: Message;
  readonly nowMs: number;
  readonly mayStart: (() => boolean) | undefined;
  readonly bytes: number;
  readonly finish: (sent: Sent | undefined) => void;
}

/**
 * An AWS service. Messages that are passed to it in one turn of the event loop are sent in batches of up to
 * `service.maxEntries`, so that a single event does not wait and a backlog goes in full batches. Each message has an
 * outcome of its own. A batch that the service refuses as a whole is split in halves until the refused message is
 * alone.
 */
export class AwsDestination implements Destination {
  readonly #options: AwsOptions;
  readonly #underWay = new UnderWay();
  #waiting: Waiting[] = [];
  #isAborted = false;

  constructor(options: AwsOptions) {
    this.#options = options;
  }

  send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined> {
    const { name, maxBytes, sizeOf } = this.#options.service;
    const bytes = sizeOf(message);
    if (bytes > maxBytes) {
      const reason = `too large: ${bytes} bytes, and ${name} takes ${maxBytes}`;
      return Promise.resolve({ outcome: { kind: 'refused', reason } });
    }
    const sent = new Promise<Sent | undefined>((finish) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#sendWaiting());
      this.#waiting.push({ message, nowMs, mayStart, bytes, finish });
    });
    return this.#underWay.track(sent);
  }

  async close(): Promise<void> {
    await this.#underWay.ended();
    await this.#options.pool.close();
    await this.#options.authorizer.close();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    await Promise.all([this.#options.pool.destroy(), this.#options.authorizer.close()]);
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of batchesOf(waiting, this.#options.service)) void this.#sendBatch(batch);
  }

  /** Never rejects: a bug must not leave deliveries waiting forever. */
  async #sendBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const { service } = this.#options;
      const answer = await this.#ask(batch);
      const result =
        answer === undefined || 'kind' in answer
          ? { all: answer, mayBeOneMessage: false }
          : service.result(
              answer,
              batch.map(({ message }) => message),
            );
      if ('each' in result) {
        for (const [index, { finish }] of batch.entries()) finish(this.#told(result.each[index]));
      } else if (result.mayBeOneMessage && batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        await Promise.all([this.#sendBatch(batch.slice(0, half)), this.#sendBatch(batch.slice(half))]);
      } else {
        for (const { finish } of batch) finish(this.#told(result.all));
      }
    } catch (bug) {
      for (const { finish } of batch) finish({ outcome: { kind: 'internal', reason: String(bug) } });
    }
  }

  /**
   * @returns the answer, or the outcome if there was none; undefined if nothing was sent or `abort` cut the request off
   */
  async #ask(batch: readonly Waiting[]): Promise<AnsweredByAws | Outcome | undefined> {
    const { service, authorizer, pool, limits } = this.#options;
    const { url } = service;
    const messages = batch.map(({ message }) => message);
    const { headers, body: text } = service.request(messages);
    const body = Buffer.from(text);
    const mayStart = () => batch.every((one) => one.mayStart?.() ?? true);
    const send = (added: Headers) => {
      const request = {
        ...{ origin: url.origin, path: url.pathname + url.search, method: 'POST' as const, body },
        headers: { 'user-agent': 'databridge-events/1', ...headers, ...added },
      };
      return new Promise<Seen>((resolve) =>
        exchange(pool, request, { ...limits, keptBytes: MAX_AWS_ANSWER_BYTES }, resolve, mayStart),
      );
    };
    // AWS rejects credentials with a code, and with 400 as well as 403.
    const statusOf = (seen: Seen) => {
      const result = 'trouble' in seen || seen.status < 400 ? undefined : service.result(seen, messages);
      return result && 'all' in result && result.all.kind === 'deauthorized' ? 401 : undefined;
    };
    const nowMs = Math.max(...batch.map((one) => one.nowMs));
    const seen = await sendAuthorized(authorizer, { method: 'POST', url, headers, body }, nowMs, send, statusOf);
    if ('outcome' in seen) return this.#isAborted ? undefined : seen.outcome;
    if ('trouble' in seen) return seen.isWithheld || this.#isAborted ? undefined : outcomeOfTrouble(seen);
    // AWS states in the body what happened to each message, so a success without its body counts as no answer.
    return seen.bodyTrouble !== undefined && seen.status < 300 ? { kind: 'retry', reason: seen.bodyTrouble } : seen;
  }

  /** Services may quote the request, so secrets are removed from their messages. */
  #told(outcome: Outcome | undefined): Sent | undefined {
    if (outcome === undefined) return undefined;
    if (!('reason' in outcome)) return { outcome };
    return { outcome: { ...outcome, reason: this.#options.redaction.apply(outcome.reason, SHOWN_REASON_CHARS) } };
  }
}

type AnsweredByAws = Exclude<Seen, { readonly trouble: string }>;

function batchesOf(waiting: readonly Waiting[], { maxEntries, maxBytes }: AwsService): Waiting[][] {
  const batches: Waiting[][] = [];
  let current: Waiting[] = [];
  let bytes = 0;
  for (const one of waiting) {
    if (current.length === maxEntries || bytes + one.bytes > maxBytes) current = [];
    if (current.length === 0) {
      batches.push(current);
      bytes = 0;
    }
    current.push(one);
    bytes += one.bytes;
  }
  return batches;
}
