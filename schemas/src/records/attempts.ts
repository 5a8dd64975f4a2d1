/** The attempt log: which requests were made, when, and with which result. Batches by customer, kept for a week. */
import { z } from 'zod';

/** The result of an attempt. */
export const ATTEMPT_OUTCOMES = [
  'delivered',
  'retry',
  'refused',
  'deauthorized',
  'blocked',
  'gone',
  'internal',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

const attempt = z.object({
  eventId: z.string(),
  replayId: z.string().optional(),
  /** The position of the event in the intake: `<topic>/<partition>/<offset>`. */
  source: z.string().optional(),
  /** The number of the attempt since the customer was last enabled; the first is 1. */
  attempt: z.int(),
  /** When the attempt began, in ms since the epoch. */
  at: z.number(),
  durationMs: z.number(),
  /** `skipped` is not an attempt: an operator moved the customer past the event, which then is not delivered. */
  outcome: z.enum([...ATTEMPT_OUTCOMES, 'skipped']),
  /** The HTTP status, if there was an answer. */
  status: z.int().optional(),
  error: z.string().optional(),
  /**
   * Details that only operators may read, such as the addresses that were tried. The API removes them for everybody
   * else.
   */
  operatorDetail: z.string().optional(),
  /** Why an accepted answer was incomplete or malformed, such as a body that was cut off. */
  note: z.string().optional(),
  /** The beginning of the answer's body, if it was not a success. */
  answer: z.string().optional(),
  /** `main`, or the retry lane's delay. */
  lane: z.string(),
  /** The trace id of its span, if it is traced. */
  traceId: z.string().optional(),
  /** True for a requested test, which is not an event. Its answer is kept, even if it is a success. */
  test: z.literal(true).optional(),
});

const attemptBatch = z.object({ customer: z.string(), worker: z.string(), attempts: z.array(attempt) });

export type Attempt = z.infer<typeof attempt>;
export type AttemptBatch = z.infer<typeof attemptBatch>;

export function encodeAttempts(batch: AttemptBatch): string {
  return JSON.stringify(batch);
}

/** @returns undefined if the value is not a batch of attempts */
export function decodeAttempts(value: Buffer): AttemptBatch | undefined {
  try {
    return attemptBatch.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
