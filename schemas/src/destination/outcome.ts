/**
 * What a request without an answer failed by: its name, TLS, the connection, the answer's headers or body, the egress
 * policy, or our egress proxy.
 */
export type FailureClass = 'dns' | 'tls' | 'connect' | 'headers' | 'body' | 'egress' | 'proxy';

/**
 * The result of one attempt, as a value: the breaker, the router, the attempt log and the metrics read the same one,
 * so they can't disagree. Customers read `reason`; `operatorDetail` holds what only operators may see, such as addresses.
 */
export type Outcome =
  /** The destination has accepted the event, over HTTP by a 2xx status. */
  | {
      readonly kind: 'delivered';
      readonly status: number;
      /** What was wrong with the answer nevertheless. */
      readonly note?: string;
    }
  /** A failure that may pass: the event is sent again later. */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      /** Only without an answer. */
      readonly failure?: FailureClass;
      readonly status?: number;
      readonly operatorDetail?: string;
      /** Requested by `Retry-After`: nothing is sent to this customer for that long. */
      readonly retryAfterMs?: number;
    }
  /** The destination refuses this event, however often it is sent. */
  | { readonly kind: 'refused'; readonly reason: string; readonly status?: number }
  /** The destination or the token endpoint rejects our credentials. The event is not the cause. */
  | {
      readonly kind: 'deauthorized';
      readonly reason: string;
      /** The token server gave no token. */
      readonly failure?: 'token';
      readonly status?: number;
      readonly operatorDetail?: string;
    }
  /** The egress policy refuses the address, or our egress proxy failed: nothing was sent. The event is not the cause. */
  | {
      readonly kind: 'blocked';
      readonly reason: string;
      readonly failure?: FailureClass;
      readonly operatorDetail?: string;
    }
  /** 410 Gone: the customer wants no more events. */
  | { readonly kind: 'gone'; readonly reason: string; readonly status: number }
  /** The record can't be read, or Databridge has a bug. The destination may not have received anything. */
  | { readonly kind: 'internal'; readonly reason: string };
