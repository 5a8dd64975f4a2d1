/** Decides what a mail server's refusal means. Pure. */
import type { Outcome } from '@databridge/schemas/destination/outcome';
import { outcomeOfTrouble } from '../../attempt/outcome.ts';
import { troubleOf } from '../../egress/trouble.ts';

/** The errors with which nodemailer rejects. */
export interface SmtpFailure extends Error {
  /** The code of the server's reply, such as 550; absent if there was no reply. */
  readonly responseCode?: number;
  /** The code of nodemailer. */
  readonly code?: string;
  /** The code of Node, such as `ECONNRESET`. */
  readonly originalCode?: string;
}

/** RFC 4954 §6, RFC 3207 §4: the login is missing, wrong, or not offered without encryption. */
const NOT_AUTHORIZED = new Set([530, 534, 535, 538]);

/**
 * RFC 5321 §4.2.1: replies of 4xx are temporary, those of 5xx are permanent. A refused login concerns the connection,
 * and not the mail.
 */
export function smtpOutcome(failure: SmtpFailure): Outcome {
  const { responseCode: status, code, originalCode, message } = failure;
  const reason = status === undefined ? message : `SMTP ${status}: ${message}`;
  const network = Object.assign(new Error(message), originalCode !== undefined && { code: originalCode });
  // A server without encryption may still be being set up: the mail is not at fault.
  if (code === 'ETLS') return { kind: 'retry', reason, failure: 'tls' };
  if (status === undefined) {
    return code === 'EAUTH' ? { kind: 'deauthorized', reason } : outcomeOfTrouble(troubleOf(network));
  }
  if (NOT_AUTHORIZED.has(status) || (code === 'EAUTH' && status >= 500))
    return { kind: 'deauthorized', reason, status };
  return status >= 500 ? { kind: 'refused', reason, status } : { kind: 'retry', reason, status };
}
