/**
 * The time for which a customer's events are kept. Operators decide it: a subscription may state other numbers of days
 * than the defaults.
 */
import { z } from 'zod';

/** All values in days. */
export interface Retention {
  /** The delivery topic: how far back events can be delivered again. */
  readonly deliveryDays: number;
  /** The retry topics. */
  readonly retryDays: number;
  readonly deadLetterDays: number;
  /** The delivery and retry topics while the customer is paused or disabled. */
  readonly stoppedDays: number;
}

export const DAY_MS = 86_400_000;

export const DEFAULT_RETENTION: Retention = { deliveryDays: 14, retryDays: 14, deadLetterDays: 90, stoppedDays: 90 };
/** Records that fan-out could not read do not belong to a customer yet. */
export const QUARANTINE_DAYS = 90;
/** A warning comes at least this long before records are deleted, even if their limit was lowered. */
export const WARNING_MS = 7 * DAY_MS;

/** Retries go on for a day, and a worker may be stopped for a while. */
const MIN_LANE_DAYS = 3;
const MAX_DAYS = 3_650;
const days = (least: number) => z.int().min(least).max(MAX_DAYS).optional();

export const retentionSchema = z.strictObject({
  deliveryDays: days(MIN_LANE_DAYS),
  retryDays: days(MIN_LANE_DAYS),
  deadLetterDays: days(MIN_LANE_DAYS),
  // An operator has to see the warning and act on it.
  stoppedDays: days(14),
});

/** The retention of topics, in ms. */
export interface RetentionMs {
  readonly delivery: number;
  readonly retry: number;
  readonly deadLetters: number;
}

/**
 * @param isStopped whether the customer is paused or disabled: then nothing is kept for a shorter time than while it is
 *   active
 */
export function retentionMs(stated: Partial<Retention> | undefined, isStopped: boolean): RetentionMs {
  const { deliveryDays, retryDays, deadLetterDays, stoppedDays } = { ...DEFAULT_RETENTION, ...stated };
  const least = isStopped ? stoppedDays : 0;
  return {
    delivery: Math.max(deliveryDays, least) * DAY_MS,
    retry: Math.max(retryDays, least) * DAY_MS,
    deadLetters: deadLetterDays * DAY_MS,
  };
}
