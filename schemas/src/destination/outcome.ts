/**
 * The cause of a request without an answer: name resolution, TLS, the connection, the answer's headers or body, the
 * egress policy, or our egress proxy.
 */
export type FailureClass = 'dns' | 'tls' | 'connect' | 'headers' | 'body' | 'egress' | 'proxy';

/**
 * The result of one attempt, as a value: the breaker, the router, the attempt log and the metrics read the same one, so
 * they cannot disagree. Customers read `reason`; `operatorDetail` contains details that only operators may see, such as
 * addresses.
 */
export type Outcome =
  /** The destination has accepted the event, over HTTP by a 2xx status. */
  | {
      readonly kind: 'delivered';
      readonly status: number;
      /** Why the answer was incomplete or malformed nevertheless. */
      readonly note?: string;
    }
  /** A temporary failure: the event is sent again later. */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      /** Set only if there was no answer. */
      readonly failure?: FailureClass;
      readonly status?: number;
      readonly operatorDetail?: string;
      /** Requested by `Retry-After`: nothing is sent to this customer for that long. */
      readonly retryAfterMs?: number;
    }
  /** The destination refuses this event: sending it again would not help. */
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
  /** 410 Gone: the customer does not want events any more. */
  | { readonly kind: 'gone'; readonly reason: string; readonly status: number }
  /** The record cannot be read, or Databridge has a bug. The destination may not have received anything. */
  | { readonly kind: 'internal'; readonly reason: string };
