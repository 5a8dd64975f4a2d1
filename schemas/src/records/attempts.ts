/** The attempt log: what was tried, when, and what came of it. Batches by customer, kept for a week. */
import { z } from 'zod';

/** What came of an attempt. */
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
  /** Where the event stood at the intake: `<topic>/<partition>/<offset>`. */
  source: z.string().optional(),
  /** 1 for the first, since the customer was last enabled. */
  attempt: z.int(),
  /** When it began, in ms since the epoch. */
  at: z.number(),
  durationMs: z.number(),
  /** `skipped` is no attempt: an operator moved the customer past the event, which then is not delivered. */
  outcome: z.enum([...ATTEMPT_OUTCOMES, 'skipped']),
  /** HTTP's, when there was an answer. */
  status: z.int().optional(),
  error: z.string().optional(),
  /** What only operators may read, such as the addresses that were tried. The API removes it for everybody else. */
  operatorDetail: z.string().optional(),
  /** What was wrong with an answer that was accepted all the same: a body that broke off, say. */
  note: z.string().optional(),
  /** The beginning of the answer's body, when it was not a success. */
  answer: z.string().optional(),
  /** `main`, or the retry lane's delay. */
  lane: z.string(),
  /** Of its span, if it is traced. */
  traceId: z.string().optional(),
  /** A test that somebody asked for: no event. Its answer is kept whatever it was. */
  test: z.literal(true).optional(),
});

const attemptBatch = z.object({ customer: z.string(), worker: z.string(), attempts: z.array(attempt) });

export type Attempt = z.infer<typeof attempt>;
export type AttemptBatch = z.infer<typeof attemptBatch>;

export function encodeAttempts(batch: AttemptBatch): string {
  return JSON.stringify(batch);
}

/** @returns undefined for what is not a batch of attempts */
export function decodeAttempts(value: Buffer): AttemptBatch | undefined {
  try {
    return attemptBatch.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
