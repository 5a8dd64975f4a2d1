import type { Outcome } from '../attempt/outcome.ts';

export type Headers = Readonly<Record<string, string>>;

/** A request before its authentication headers are added. */
export interface Unauthorized {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** The authentication headers of a request, or why there are none. */
export type Authorization = { readonly headers: Headers } | { readonly outcome: Outcome };

/** Authenticates requests to one customer's destination, where fixed headers are not enough. */
export interface Authorizer {
  authorize(request: Unauthorized, nowMs: number): Authorization | Promise<Authorization>;
  /**
   * Discards credentials that the destination refused with 401 or 403: the token may have been revoked, or have expired
   * early.
   * @returns whether `authorize` may return better ones now: the request is then sent once more
   */
  discardRejected(headers: Headers): boolean;
  /** Closes the connections. */
  close(): Promise<void>;
}

/**
 * Authorizes a request and sends it. If the destination refuses headers that `authorize` can replace, the request is
 * sent once more.
 * @param send sends the request with these headers added
 * @returns what `send` returned, or why there are no headers
 */
export async function sendAuthorized<Result>(
  authorizer: Authorizer,
  request: Unauthorized,
  nowMs: number,
  send: (headers: Headers) => Promise<Result>,
  statusOf: (result: Result) => number | undefined,
): Promise<Result | { readonly outcome: Outcome }> {
  // A destination may answer either status for a token that was revoked.
  const isRefused = (status: number | undefined) => status === 401 || status === 403;
  for (let tries = 1; ; tries++) {
    const authorization = await authorizer.authorize(request, nowMs);
    if ('outcome' in authorization) return authorization;
    const result = await send(authorization.headers);
    if (tries > 1 || !isRefused(statusOf(result)) || !authorizer.discardRejected(authorization.headers)) return result;
  }
}
