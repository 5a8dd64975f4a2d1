import type { Outcome } from '../attempt/outcome.ts';

/** One event, ready to be sent. */
export interface Message {
  readonly eventId: string;
  readonly eventType: string;
  readonly schemaVersion: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly traceparent: string | undefined;
  /** JSON. */
  readonly body: string;
  /** What is answered is wanted even if it is a success: this is a test. */
  readonly keepsAnswer?: true;
}

/** What an attempt saw: the outcome, and the beginning of the answer's body for the attempt log. */
export interface Sent {
  readonly outcome: Outcome;
  readonly answerBody?: string;
}

/**
 * Where one customer's events go, and how it knows us. Expected failures are outcomes; it throws only on a bug. Each
 * kind passes the same tests: test/contract/destination-suite.ts.
 */
export interface Destination {
  /**
   * @param mayStart asked, by destinations that can, when the request is about to go out: it may have waited for a token
   *   or a connection while the customer was given to another worker
   * @returns undefined when `abort` cut it off, or `mayStart` said no: no attempt counts
   */
  send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined>;
  /** Lets what is in flight finish, then closes the connections. */
  close(): Promise<void>;
  /** Cuts off what is in flight and closes the connections. */
  abort(): Promise<void>;
}
