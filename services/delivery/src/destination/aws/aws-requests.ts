import { Readable } from 'node:stream';
import { strictQuery } from '@databridge/schemas/destination/aws/strict-query';
import type { FailureClass } from '@databridge/schemas/destination/outcome';
import type { HttpRequest, HttpResponse } from '@smithy/protocol-http';
import type { HttpHandlerOptions } from '@smithy/types';
import type { Dispatcher } from 'undici';
import type { Egress } from '../../egress/dispatcher.ts';
import type { EgressPool } from '../../egress/egress-pool.ts';
import { exchange, type Seen, type TimeLimits } from '../../egress/exchange.ts';
import type { Trouble } from '../../egress/trouble.ts';

/** Answers of AWS services are small; the answer to a batch takes a few KiB. */
export const MAX_AWS_ANSWER_BYTES = 262_144;

export interface AwsRequestOptions {
  readonly egress: Egress;
  readonly limits: TimeLimits;
}

/** The request got no answer (network error or time-out). It is not an error that AWS sent. */
export class AwsTrouble extends Error implements Trouble {
  override readonly name = 'AwsTrouble';
  readonly trouble: string;
  readonly isBlocked: boolean;
  readonly failure?: FailureClass;
  readonly operatorDetail?: string;

  constructor({ trouble, failure, isBlocked, operatorDetail }: Trouble) {
    super(trouble);
    this.trouble = trouble;
    if (failure !== undefined) this.failure = failure;
    this.isBlocked = isBlocked;
    if (operatorDetail !== undefined) this.operatorDetail = operatorDetail;
  }
}

/**
 * Sends the requests of the AWS SDK's STS client over our own pools, so that its sockets are counted and guarded like
 * all others.
 */
export class AwsRequests {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #options: AwsRequestOptions;
  /** The pools by origin. */
  readonly #pools = new Map<string, EgressPool>();

  constructor(options: AwsRequestOptions) {
    this.#options = options;
  }

  async handle(request: HttpRequest, _options?: HttpHandlerOptions): Promise<{ response: HttpResponse }> {
    const { protocol, hostname, port, method, headers, body } = request;
    const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
    const path = request.path + strictQuery(pairsOf(request.query));
    const limits = { ...this.#options.limits, keptBytes: MAX_AWS_ANSWER_BYTES };
    const dispatched: Dispatcher.DispatchOptions = {
      ...{ origin, path, headers, body: body as string | Uint8Array | null },
      method: method as Dispatcher.HttpMethod,
    };
    const seen = await new Promise<Seen>((resolve) => exchange(this.#pool(origin), dispatched, limits, resolve));
    if ('trouble' in seen) throw new AwsTrouble(seen);
    // The body contains the credentials.
    if (seen.bodyTrouble !== undefined && seen.status < 300) {
      throw new AwsTrouble({ failure: 'body', trouble: seen.bodyTrouble, isBlocked: false });
    }
    const answered = Object.entries(seen.headers).map(([name, value]) => [name, String(value)]);
    const { HttpResponse: Response } = await import('@smithy/protocol-http');
    return {
      response: new Response({
        statusCode: seen.status,
        headers: Object.fromEntries(answered) as Record<string, string>,
        body: Readable.from([Buffer.from(seen.body)]),
      }),
    };
  }

  /** The SDK requires both methods; there is nothing to set. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  /** The SDK's clients call this when they are destroyed, but they share one handler, which `close` ends. */
  destroy(): void {}

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #pool(origin: string): EgressPool {
    const { egress, limits } = this.#options;
    const { connectTimeoutMs } = limits;
    const known = this.#pools.get(origin);
    if (known) return known;
    const pool = egress.openPool(new URL(origin), { connectTimeoutMs, allowH2: false });
    this.#pools.set(origin, pool);
    return pool;
  }
}

function pairsOf(query: HttpRequest['query'] = {}): [string, string][] {
  return Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((one): [string, string] => [name, one]),
  );
}
