import { formatDelay, parseDelay } from '../records/topics.ts';

/** A lane, and how often it is used before the next one. */
export interface RetryStep {
  /** The name of the lane in its topic, such as `7m45s`. */
  readonly delay: string;
  readonly delayMs: number;
  readonly times: number;
}

export interface RetryPlan {
  readonly steps: readonly RetryStep[];
  /** The number of attempts: the first one and every retry. */
  readonly maxAttempts: number;
  /** No attempt is planned once this time has passed since the first one. */
  readonly windowMs: number;
}

export type Next =
  | { readonly kind: 'retry'; readonly delay: string }
  | { readonly kind: 'exhausted'; readonly why: 'attempts' | 'window' };

/** 1 attempt, then 3 + 3 + 3 + 175 retries: 185 attempts over 22 h 55 min, which leaves about 20 s an attempt. */
export const DEFAULT_RETRY_PLAN = '10s*3,1m*3,5m*3,7m45s*175';

/** {@link DEFAULT_RETRY_PLAN}, within a day. */
export function defaultRetryPlan(): RetryPlan {
  return parseRetryPlan(DEFAULT_RETRY_PLAN, 86_400_000) as RetryPlan;
}

/**
 * @param text lanes in order, as `delay*times` separated by commas
 * @returns the plan, or its mistake: a plan whose waits alone exceed the window is refused, since it would promise
 *   attempts that are never made
 */
export function parseRetryPlan(text: string, windowMs: number): RetryPlan | { readonly mistake: string } {
  const steps: RetryStep[] = [];
  for (const part of text.split(',')) {
    const [, delay = '', times = ''] = /^\s*(\w+)\*(\d{1,5})\s*$/.exec(part) ?? [];
    const delayMs = parseDelay(delay);
    if (delayMs === undefined || Number(times) < 1) {
      return { mistake: `"${part.trim()}" is not delay*times with a delay written as 10s, 1m or 7m45s` };
    }
    if (steps.some((step) => step.delay === delay))
      return { mistake: `"${delay}" is named twice: a delay is one lane` };
    steps.push({ delay, delayMs, times: Number(times) });
  }
  const waitsMs = steps.reduce((sum, { delayMs, times }) => sum + delayMs * times, 0);
  if (waitsMs > windowMs) {
    return { mistake: `the waits add up to ${waitsMs} ms, more than the window of ${windowMs} ms` };
  }
  return { steps, maxAttempts: 1 + steps.reduce((sum, { times }) => sum + times, 0), windowMs };
}

/**
 * Decides where an event goes whose attempt has just failed.
 * @param attempts made so far, this one included: 1 or more
 * @param sinceFirstMs from the start of the first attempt to now; it may be negative after a clock was set back
 */
export function planNext(plan: RetryPlan, attempts: number, sinceFirstMs: number): Next {
  if (attempts >= plan.maxAttempts) return { kind: 'exhausted', why: 'attempts' };
  if (sinceFirstMs >= plan.windowMs) return { kind: 'exhausted', why: 'window' };
  let left = attempts;
  for (const step of plan.steps) {
    if (left <= step.times) return { kind: 'retry', delay: step.delay };
    left -= step.times;
  }
  return { kind: 'exhausted', why: 'attempts' };
}

/**
 * When an event is given up if every further attempt fails at once: the wall-clock time of its last attempt. Attempts
 * take time and probes are rare, so the real time is a little later: within 5 % of the window.
 * @param attempts made so far: 1 or more
 * @param nextAtMs when the next attempt is due
 */
export function exhaustsAtMs(plan: RetryPlan, attempts: number, firstAttemptAtMs: number, nextAtMs: number): number {
  const windowEndsAtMs = firstAttemptAtMs + plan.windowMs;
  let next = attempts + 1;
  let atMs = nextAtMs;
  let lastOfStep = 0;
  for (const { delayMs, times } of plan.steps) {
    lastOfStep += times;
    // The attempt of this number, and those after it up to the step's last, are followed by this delay.
    const followed = lastOfStep - next + 1;
    if (followed <= 0) continue;
    if (atMs >= windowEndsAtMs) return atMs;
    const count = Math.min(followed, Math.ceil((windowEndsAtMs - atMs) / delayMs));
    atMs += count * delayMs;
    next += count;
  }
  return atMs;
}

/** A lane's delay from its topic's name; lanes that the plan no longer has are still read. */
export function laneDelayMs(delay: string): number {
  const delayMs = parseDelay(delay);
  if (delayMs === undefined) throw new RangeError(`"${delay}" is not a delay such as ${formatDelay(465_000)}`);
  return delayMs;
}

/** The delay of one of a customer's topics in ms; 0 if it is not a retry lane. */
export function laneDelayOf(topic: string): number {
  const [, delay] = /\.retry\.(.+)$/.exec(topic) ?? [];
  return delay === undefined ? 0 : laneDelayMs(delay);
}
