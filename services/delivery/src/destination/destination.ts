import type { Outcome } from '../attempt/outcome.ts';

/** One event, ready to be sent. */
export interface Message {
  readonly eventId: string;
  /** The place in the intake that the event was read from. Two events may have one event id; their sources differ. */
  readonly source?: string;
  /** Set for a copy that an operator or the customer requested. */
  readonly replayId?: string;
  /** Of the subscription: raised by each resuming, so by each rewind. Left out: 0. */
  readonly enableEpoch?: number;
  readonly eventType: string;
  readonly schemaVersion: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly traceparent: string | undefined;
  /** JSON. */
  readonly body: string;
  /** This is a test event: the answer is kept even if it is a success. */
  readonly keepsAnswer?: true;
}

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
   * @param mayStart asked, by destinations that can, when the request is about to be written: it may have waited for a
   *   token or a connection while the customer moved to another worker
   * @returns undefined when `abort` cut it off, or `mayStart` said no: no attempt counts
   */
  send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined>;
  /** Lets what is in flight finish, then closes the connections. */
  close(): Promise<void>;
  /** Cuts off what is in flight and closes the connections. */
  abort(): Promise<void>;
}
