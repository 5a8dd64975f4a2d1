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

/** Authenticates requests to one customer's destination, where that takes more than headers that never change. */
export interface Authorizer {
  authorize(request: Unauthorized, nowMs: number): Authorization | Promise<Authorization>;
  /**
   * The destination answered 401 or 403 to these headers: the token may have been revoked, or have ended early.
   * @returns whether `authorize` may do better now: the request is then tried once more
   */
  rejected(headers: Headers): boolean;
  /** Frees the connections. */
  close(): Promise<void>;
}
