import type { Outcome } from '../outcome.ts';

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
}

/** What an attempt saw: the outcome, and the beginning of the answer's body for the attempt log. */
export interface Sent {
  readonly outcome: Outcome;
  readonly answerBody?: string;
}

/** Where one customer's events go. Expected failures are outcomes; it throws only on a bug. */
export interface Destination {
  send(message: Message, nowMs: number): Promise<Sent>;
  /** Lets what is in flight finish, then closes the connections. */
  close(): Promise<void>;
}
