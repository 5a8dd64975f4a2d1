import type { Outcome } from '../attempt/outcome.ts';

export type Headers = Readonly<Record<string, string>>;

/** What is about to be sent, without what makes us known. */
export interface Unauthorized {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** The headers by which the destination knows us, or why there are none. */
export type Authorization = { readonly headers: Headers } | { readonly outcome: Outcome };

/** How one customer's destination knows us, where that takes more than headers that stay the same. */
export interface Authorizer {
  authorize(request: Unauthorized, nowMs: number): Authorization | Promise<Authorization>;
  /**
   * The destination answered 401 to these headers.
   * @returns whether `authorize` may do better now: the request is then tried once more
   */
  rejected(headers: Headers): boolean;
  /** Frees the connections. */
  close(): Promise<void>;
}
