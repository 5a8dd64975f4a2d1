import { type Outcome, outcomeOfTrouble } from '../../attempt/outcome.ts';
import { CredentialsError } from '../../authorization/aws-credentials.ts';
import type { Redaction } from '../redaction.ts';
import { AwsTrouble } from './aws-requests.ts';

/** AWS, or what stands in for it, may write any amount. */
const SHOWN_REASON_CHARS = 500;

const THROTTLED = /^(Throttl|RequestThrottled|TooManyRequests|RequestLimitExceeded|SlowDown|KMSThrottling|OverLimit)/;
/** AWS does not accept our credentials, whatever the status that comes with it. */
const NOT_KNOWN =
  /^(AccessDenied|AuthorizationError|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|ExpiredToken|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|NotAuthorized|OptInRequired|InvalidSecurity|KMSAccessDenied|CredentialsProviderError|InvalidIdentityToken)/;
/** Caused by clocks or a passing state rather than by the event. */
const PASSING =
  /^(RequestTimeTooSkewed|RequestExpired|RequestTimeout|InternalFailure|InternalError|ServiceUnavailable|KMSInternal)/;

/**
 * What an error of the AWS SDK means for the event.
 * @param redaction takes secrets out of what the service says
 * @throws an error that neither a service nor the network caused: a bug
 */
export function awsOutcome(error: unknown, redaction: Redaction): Outcome {
  return redacted(outcomeOfError(error), redaction);
}

export function redacted(outcome: Outcome, redaction: Redaction): Outcome {
  return 'reason' in outcome ? { ...outcome, reason: redaction.apply(outcome.reason, SHOWN_REASON_CHARS) } : outcome;
}

function outcomeOfError(error: unknown): Outcome {
  if (error instanceof CredentialsError) return error.outcome;
  if (error instanceof AwsTrouble) return outcomeOfTrouble(error);
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if (name === 'CredentialsProviderError') return { kind: 'deauthorized', reason: message };
  const status = $metadata?.httpStatusCode;
  // The SDK compares what SQS received with what was sent.
  if (message?.startsWith('Invalid MD5 checksum')) return { kind: 'retry', reason: message };
  if (status === undefined) throw error;
  // The SDK's own error for an answer that is not in the service's protocol, such as a proxy's page.
  const isUnread = message.includes('Deserialization error');
  return isUnread ? outcomeOfCode('Unreadable', `status ${status}`, status) : outcomeOfCode(name, message, status);
}

/** @param code AWS's, with or without the service's name before it */
export function outcomeOfCode(code: string, message: string, status: number): Outcome {
  const bare = code.split('.').at(-1) ?? code;
  const reason = `${bare}: ${message}`;
  // Reported as 429, which it means, so that the rate is reduced as for HTTP.
  if (THROTTLED.test(bare) || status === 429) return { kind: 'retry', reason, status: 429 };
  if (NOT_KNOWN.test(bare)) return { kind: 'deauthorized', reason, status };
  // An error from an answer with a success status: it did not come from AWS.
  if (status < 400) return { kind: 'retry', reason: `the answer can't be read: ${reason}`, status };
  if (PASSING.test(bare) || status >= 500 || status === 408) return { kind: 'retry', reason, status };
  if (status === 401 || status === 403) return { kind: 'deauthorized', reason, status };
  return { kind: 'refused', reason, status };
}
