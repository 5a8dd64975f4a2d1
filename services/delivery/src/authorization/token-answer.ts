import type { Answered } from '../egress/exchange.ts';

export interface Token {
  readonly value: string;
  /** The lifetime that the server states; undefined if it states none, or none that can be used. */
  readonly lifetimeMs: number | undefined;
}

/** A token, or the reason why there is none, not yet redacted or truncated. */
export type TokenReading = { readonly token: Token } | { readonly failure: string };

/**
 * Types whose tokens can't be sent as a Bearer token: DPoP (RFC 9449) and MAC tokens need a proof with each request,
 * and N_A (RFC 8693) means that the token is not an access token. Every other name is taken to mean Bearer: servers
 * write `BearerToken`, `bearer token`, `JWT`, null or nothing.
 */
const UNSUPPORTED_TYPES = new Set(['dpop', 'mac', 'pop', 'hawk', 'na']);
/**
 * The characters that a header can contain after `Bearer `. They are more than RFC 6750 allows, because some servers
 * issue such tokens.
 */
const SENDABLE = /^[\x21-\x7e]+$/;

/**
 * Reads the answer of a token endpoint (RFC 6749 §5) as leniently as possible: the values of fields that are not
 * needed, and the content type, do not matter; a form-encoded answer is read as well as JSON.
 */
export function readTokenAnswer({ status, body, bodyTrouble }: Answered): TokenReading {
  const fields = fieldsOf(body);
  const isSuccess = status >= 200 && status < 300;
  const error = fields && textOf(fields['error']);
  if (error !== undefined && (!isSuccess || textOf(fields?.['access_token']) === undefined)) {
    const description = textOf(fields?.['error_description']);
    return { failure: `status ${status}, ${error}${description === undefined ? '' : `: ${description}`}` };
  }
  // What came with a success, or beside the name of a token, may be one: its text is never shown.
  if (!isSuccess && /access_?token/i.test(body))
    return { failure: `status ${status}, although the answer has a token` };
  if (!isSuccess) return { failure: body === '' ? `status ${status}` : `status ${status}: ${body}` };
  if (!fields) return { failure: `status ${status}, but ${bodyTrouble ?? 'the answer is no JSON object'}` };
  return tokenOf(fields, status);
}

function tokenOf(fields: Record<string, unknown>, status: number): TokenReading {
  const value = textOf(fields['access_token']);
  if (value === undefined) return { failure: `status ${status}, but the answer has no access_token` };
  if (!SENDABLE.test(value)) {
    const why = 'the access_token contains blanks, control or non-ASCII characters, which no header can carry';
    return { failure: `status ${status}, but ${why}` };
  }
  const type = textOf(fields['token_type']) ?? 'Bearer';
  if (UNSUPPORTED_TYPES.has(type.toLowerCase().replace(/[^a-z]/g, ''))) {
    const why = `the token is of the type "${type.slice(0, 20)}", which is not supported: the server must issue Bearer tokens`;
    return { failure: `status ${status}, but ${why}` };
  }
  return { token: { value, lifetimeMs: lifetimeOf(fields['expires_in']) } };
}

/**
 * Nothing, less than a second, or no number at all all mean "not stated": a 401 from the destination ends the token.
 */
function lifetimeOf(expiresIn: unknown): number | undefined {
  const isNumber =
    typeof expiresIn === 'number' || (typeof expiresIn === 'string' && /^\s*\d+(\.\d*)?\s*$/.test(expiresIn));
  const seconds = isNumber ? Number(expiresIn) : Number.NaN;
  return seconds >= 1 ? seconds * 1_000 : undefined;
}

/** @returns undefined if the text is neither a JSON object nor a form with a known field */
function fieldsOf(body: string): Record<string, unknown> | undefined {
  const text = body.replace(/^\ufeff/, '').trim();
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    const isForm = /^(?:[\w.%+-]+=[^&\s]*&)*(?:access_token|error)=[^&\s]*(?:&[\w.%+-]+=[^&\s]*)*$/.test(text);
    return isForm ? Object.fromEntries(new URLSearchParams(text)) : undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
