/** The attempt log: which requests were made, when, and with which result. Batches by customer, kept for a week. */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';
import { ATTEMPTS_TOPIC } from './topics.ts';

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

const attemptBatch = z.object({
  customer: z.string(),
  worker: z.string(),
  attempts: z.array(attempt),
  /**
   * It took the place of a record from which attempts at erased events were removed: the offset of that record, and where
   * each of these attempts was in it. A reader who knows that one already learns nothing from this one.
   */
  insteadOf: z.object({ offset: z.int(), indexes: z.array(z.int()) }).optional(),
});

export type Attempt = z.infer<typeof attempt>;
export type AttemptBatch = z.infer<typeof attemptBatch>;

export function encodeAttempts(batch: AttemptBatch): string {
  return JSON.stringify(batch);
}

/**
 * A record of the log. All of a customer are in one partition, under keys of their own each, so that one can be replaced.
 * @param id unique
 */
export function attemptsRecord(batch: AttemptBatch, id: string) {
  const { customer } = batch;
  const key = `${customer}${SEPARATOR}${id}`;
  return { topic: ATTEMPTS_TOPIC, key, placedBy: customer, value: encodeAttempts(batch) };
}

/** No name of a customer has it. */
const SEPARATOR = ' ';

/** Whose attempts a record contains, by its key. In earlier versions the key was the customer, and the same for all of its records. */
export function attemptsKey(key: Buffer | null): { readonly customer: string; readonly isUnique: boolean } {
  const [customer = '', id] = (key?.toString('utf8') ?? '').split(SEPARATOR);
  return { customer, isUnique: id !== undefined };
}

/**
 * Without the attempts at some events: the record that takes the place of one.
 * @param offset of the record @returns undefined: it contains none of them; null: it contains nothing else
 */
export function withoutAttempts(
  batch: AttemptBatch,
  offset: number,
  isErased: (attempt: Attempt) => boolean,
): AttemptBatch | null | undefined {
  const kept = [...batch.attempts.entries()].filter(([, one]) => !isErased(one));
  if (kept.length === batch.attempts.length) return undefined;
  if (kept.length === 0) return null;
  const places = placesOf(batch, offset);
  return {
    ...batch,
    attempts: kept.map(([, one]) => one),
    insteadOf: { offset: places.offset, indexes: kept.map(([index]) => places.indexOf(index)) },
  };
}

/** Returns the place at which the attempts of a record were written first. @param offset of the record */
export function placesOf({ insteadOf }: AttemptBatch, offset: number) {
  return {
    offset: insteadOf?.offset ?? offset,
    indexOf: (index: number) => insteadOf?.indexes[index] ?? index,
  };
}

/** @returns undefined if the value is not a batch of attempts */
export function decodeAttempts(value: Buffer): AttemptBatch | undefined {
  return decodeJson(attemptBatch, value);
}
