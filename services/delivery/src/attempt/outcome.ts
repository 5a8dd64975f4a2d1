/**
 * What came of one attempt, as a value: the breaker, the router, the attempt log and the metrics read the same one,
 * so they can't disagree.
 */
export type Outcome =
  /** 2xx: the destination has it. */
  | { readonly kind: 'delivered'; readonly status: number }
  /** The destination is in trouble, or asks for patience: worth another attempt. */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly status?: number;
      /** Asked for by `Retry-After`: nobody of this customer is sent anything for so long. */
      readonly retryAfterMs?: number;
    }
  /** The destination won't take this event, however often it is sent. */
  | { readonly kind: 'refused'; readonly reason: string; readonly status?: number }
  /** It doesn't know us, or the token server doesn't: no event's fault. */
  | { readonly kind: 'deauthorized'; readonly reason: string; readonly status?: number }
  /** Its address is one that we don't send to, or our own way out is shut: nothing was sent. No event's fault. */
  | { readonly kind: 'blocked'; readonly reason: string }
  /** 410: the customer wants no more. */
  | { readonly kind: 'gone'; readonly reason: string; readonly status: number }
  /** Our own fault with this one record: it can't be read, or a bug. The destination may never have seen it. */
  | { readonly kind: 'internal'; readonly reason: string };

/** What the destination answered, as far as it matters. */
export interface Answer {
  readonly status: number;
  readonly retryAfter?: string | undefined;
}

/** Why there was no answer. */
export interface Trouble {
  /** In words. */
  readonly trouble: string;
  /** The address is one that we don't send to, or our egress proxy is at fault. */
  readonly isBlocked: boolean;
  /** Nothing was sent: it stopped being ours to send. Says nothing of the destination. */
  readonly isWithheld?: true;
}

export function troubleOf(error: Error & { code?: string }): Trouble {
  const { code, message } = error;
  if (code === 'DB_EGRESS_REFUSED' || code === 'DB_EGRESS_PROXY') return { trouble: message, isBlocked: true };
  return { trouble: code === undefined ? message : `${code}: ${message}`, isBlocked: false };
}

export function outcomeOfTrouble({ trouble, isBlocked }: Trouble): Outcome {
  return { kind: isBlocked ? 'blocked' : 'retry', reason: trouble };
}

const RETRYABLE_4XX = new Set([408, 409, 425, 429]);
const NOT_AUTHORIZED = new Set([401, 403, 407]);

/**
 * @param maxRetryAfterMs a longer `Retry-After` is cut to this
 * @see docs/guarantees.md for the table in words
 */
export function outcomeOf(answer: Answer, nowMs: number, maxRetryAfterMs: number): Outcome {
  const { status } = answer;
  const reason = `status ${status}`;
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (NOT_AUTHORIZED.has(status)) return { kind: 'deauthorized', reason, status };
  if (status === 410) return { kind: 'gone', reason, status };
  if (status < 500 && !RETRYABLE_4XX.has(status)) return { kind: 'refused', reason, status };
  const mayAskToWait = status === 429 || status === 503;
  const retryAfterMs = mayAskToWait ? parseRetryAfter(answer.retryAfter, nowMs) : undefined;
  if (retryAfterMs === undefined) return { kind: 'retry', reason, status };
  return { kind: 'retry', reason, status, retryAfterMs: Math.min(retryAfterMs, maxRetryAfterMs) };
}

/** RFC 9110 §10.2.3: seconds, or an HTTP date. In ms from now; undefined for what is neither, or already past. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (/^\d{1,12}$/.test(trimmed)) return Number(trimmed) > 0 ? Number(trimmed) * 1_000 : undefined;
  if (!/^[A-Z][a-z]{2,8},? /.test(trimmed)) return undefined;
  const waitMs = Date.parse(trimmed) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}
