import type { Message } from '@databridge/schemas/destination/message';
import type { Outcome } from '@databridge/schemas/destination/outcome';

export type { Message };

/** The result of an attempt: the outcome, and the beginning of the answer's body for the attempt log. */
export interface Sent {
  readonly outcome: Outcome;
  readonly answerBody?: string;
}

/**
 * Sends one customer's events, authenticated. Expected failures are outcomes; it throws only on a bug. Each kind
 * passes the same tests: test/contract/destination-suite.ts.
 */
export interface Destination {
  /**
   * @param mayStart destinations that can do so call it when the request is about to be written: it may have waited for
   *   a token or a connection while the customer moved to another worker
   * @returns undefined when `abort` cut it off, or `mayStart` said no: no attempt counts
   */
  send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined>;
  /** Lets requests in flight finish, then closes the connections. */
  close(): Promise<void>;
  /** Cuts off requests in flight and closes the connections. */
  abort(): Promise<void>;
}
