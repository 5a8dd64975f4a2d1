import type { Outcome } from '@databridge/schemas/destination/outcome';
import type { Trouble } from '../egress/trouble.ts';

export type { Outcome };

/** The parts of a destination's answer that decide the outcome. */
export interface Answer {
  readonly status: number;
  /** All values of the header, one for each time that it was sent. */
  readonly retryAfter?: string | readonly string[] | undefined;
  /** Why the answer's body is incomplete. The status counts nevertheless. */
  readonly bodyTrouble?: string | undefined;
}

export function outcomeOfTrouble({ trouble, failure = 'headers', isBlocked, operatorDetail }: Trouble): Outcome {
  const kind = isBlocked ? 'blocked' : 'retry';
  return { kind, failure, reason: trouble, ...(operatorDetail !== undefined && { operatorDetail }) };
}

/** 421 reaches this table only if a second connection got the same answer. */
const RETRYABLE_4XX = new Set([408, 409, 421, 425, 429]);
const NOT_AUTHORIZED = new Set([401, 403, 407]);

/**
 * The one rule for what a status means. A complete head is the answer: an endpoint that said 2xx has taken the event,
 * even if the body after it was cut off.
 * @param maxRetryAfterMs a longer `Retry-After` is cut to this
 * @see docs/destinations.md for the table
 */
export function outcomeOf(answer: Answer, nowMs: number, maxRetryAfterMs: number): Outcome {
  const { status, bodyTrouble } = answer;
  if (status >= 200 && status < 300) {
    return bodyTrouble === undefined ? { kind: 'delivered', status } : { kind: 'delivered', status, note: bodyTrouble };
  }
  const reason = bodyTrouble === undefined ? `status ${status}` : `status ${status} (${bodyTrouble})`;
  if (NOT_AUTHORIZED.has(status)) return { kind: 'deauthorized', reason, status };
  if (status === 410) return { kind: 'gone', reason, status };
  if (status < 500 && !RETRYABLE_4XX.has(status)) return { kind: 'refused', reason, status };
  const mayAskToWait = status === 429 || status === 503;
  const retryAfterMs = mayAskToWait ? longestRetryAfter(answer.retryAfter, nowMs) : undefined;
  if (retryAfterMs === undefined) return { kind: 'retry', reason, status };
  return { kind: 'retry', reason, status, retryAfterMs: Math.min(retryAfterMs, maxRetryAfterMs) };
}

/** Proxies repeat the header, or join its repetitions by commas. The longest wait respects all of them. */
function longestRetryAfter(given: Answer['retryAfter'], nowMs: number): number | undefined {
  const waits = [given ?? []]
    .flat()
    .flatMap((value) => value.split(BETWEEN_VALUES))
    .map((value) => parseRetryAfter(value, nowMs))
    .filter((waitMs) => waitMs !== undefined);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** A comma that separates values, and not the one after the weekday of a date. */
const BETWEEN_VALUES = /(?<!^\s*[a-z]+|,\s*[a-z]+),/i;
const WEEKDAY = '(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*';
const HTTP_DATE = new RegExp(`^${WEEKDAY},? \\S`, 'i');
/** The format of C's asctime: it names no time zone, and means UTC as the others do. */
const ASCTIME_DATE = new RegExp(`^${WEEKDAY} [a-z]{3} +\\d+ [\\d:]+ \\d{4}$`, 'i');
/** RFC 3339, which the header does not allow but some servers send. */
const RFC_3339_DATE = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/i;

/**
 * RFC 9110 §10.2.3: seconds, or an HTTP date. Fractions of a second, which some servers send, are read as well.
 * @returns ms from now; undefined if it is neither, or already past
 */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  const waitMs = /^\d+(?:\.\d+)?$/.test(trimmed) ? Math.ceil(Number(trimmed) * 1_000) : dateOf(trimmed) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}

/** Without a time zone, `Date.parse` would read the date in the zone of the worker's machine. */
const WITHOUT_ZONE = /:\d\d$/;

function dateOf(text: string): number {
  if (ASCTIME_DATE.test(text)) return Date.parse(`${text} GMT`);
  if (RFC_3339_DATE.test(text)) return Date.parse(text);
  return HTTP_DATE.test(text) ? Date.parse(WITHOUT_ZONE.test(text) ? `${text} GMT` : text) : Number.NaN;
}
