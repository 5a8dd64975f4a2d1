/** How long events of a customer are kept. Operators own it: a subscription may state other days than the defaults. */
import { z } from 'zod';

/** In days. */
export interface Retention {
  /** Delivery topic: how far back events can be delivered again. */
  readonly deliveryDays: number;
  /** Retry topics. */
  readonly retryDays: number;
  readonly deadLetterDays: number;
  /** Delivery and retry topics while the customer is paused or disabled. */
  readonly stoppedDays: number;
}

export const DAY_MS = 86_400_000;

export const DEFAULT_RETENTION: Retention = { deliveryDays: 14, retryDays: 14, deadLetterDays: 90, stoppedDays: 90 };
/** Records that fan-out could not read belong to no customer yet. */
export const QUARANTINE_DAYS = 90;
/** What is to be deleted is alerted so long before at the latest, by whatever way its limit came down. */
export const WARNING_MS = 7 * DAY_MS;

/** Retries go on for a day, and a worker may stand still for a while. */
const MIN_LANE_DAYS = 3;
const MAX_DAYS = 3_650;
const days = (least: number) => z.int().min(least).max(MAX_DAYS).optional();

export const retentionSchema = z.strictObject({
  deliveryDays: days(MIN_LANE_DAYS),
  retryDays: days(MIN_LANE_DAYS),
  deadLetterDays: days(MIN_LANE_DAYS),
  // Somebody has to see the warning, and act on it.
  stoppedDays: days(14),
});

/** Of topics, in ms. */
export interface RetentionMs {
  readonly delivery: number;
  readonly retry: number;
  readonly deadLetters: number;
}

/** @param isStopped paused or disabled: then nothing is kept for a shorter time than while it is active */
export function retentionMs(stated: Partial<Retention> | undefined, isStopped: boolean): RetentionMs {
  const { deliveryDays, retryDays, deadLetterDays, stoppedDays } = { ...DEFAULT_RETENTION, ...stated };
  const least = isStopped ? stoppedDays : 0;
  return {
    delivery: Math.max(deliveryDays, least) * DAY_MS,
    retry: Math.max(retryDays, least) * DAY_MS,
    deadLetters: deadLetterDays * DAY_MS,
  };
}
