import type { TestVariation } from '../records/test-variation.ts';

/** One event, ready to be sent. */
export interface Message {
  readonly eventId: string;
  /** The place in the intake that the event was read from. Two events may have one event id; their sources differ. */
  readonly source?: string;
  /** Set for a copy that an operator or the customer requested. */
  readonly replayId?: string;
  /** From the subscription: raised by each resuming, and so by each rewind. If omitted, 0. */
  readonly enableEpoch?: number;
  readonly eventType: string;
  readonly schemaVersion: string;
  /** The number of the attempt; the first is 1. */
  readonly attempt: number;
  readonly traceparent: string | undefined;
  /** The body: JSON, as UTF-8. */
  readonly body: Buffer;
  /** This is a test event: the answer is kept even if it is a success. */
  readonly keepsAnswer?: true;
  /** Only for test events over HTTP: how the request deviates. */
  readonly variation?: TestVariation;
}
