import { type Outcome, outcomeOfTrouble } from '../../attempt/outcome.ts';
import { CredentialsError } from '../../authorization/aws-credentials.ts';
import { AwsTrouble } from './aws-requests.ts';

const THROTTLED = /^(Throttl|RequestThrottled|TooManyRequests|RequestLimitExceeded|SlowDown|KMSThrottling|OverLimit)/;
/** About who we are, whatever the status that comes with it. */
const NOT_KNOWN =
  /^(AccessDenied|AuthorizationError|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|ExpiredToken|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|NotAuthorized|OptInRequired|InvalidSecurity|KMSAccessDenied|CredentialsProviderError|InvalidIdentityToken)/;
/** Of the clocks or the moment rather than of the event. */
const PASSING =
  /^(RequestTimeTooSkewed|RequestExpired|RequestTimeout|InternalFailure|InternalError|ServiceUnavailable|KMSInternal)/;

/** What an error of the AWS SDK means for the event. @throws what no service and no network said: a bug */
export function awsOutcome(error: unknown): Outcome {
  if (error instanceof CredentialsError) return error.outcome;
  if (error instanceof AwsTrouble) return outcomeOfTrouble(error);
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  if (name === 'CredentialsProviderError') return { kind: 'deauthorized', reason: message };
  const status = $metadata?.httpStatusCode;
  if (status === undefined) throw error;
  // The SDK's own error over an answer that is not in the service's language, a proxy's page say.
  const isUnread = message.includes('Deserialization error');
  return isUnread ? outcomeOfCode('Unreadable', `status ${status}`, status) : outcomeOfCode(name, message, status);
}

/** @param code AWS's, with or without the service's name before it */
export function outcomeOfCode(code: string, message: string, status: number): Outcome {
  const bare = code.split('.').at(-1) ?? code;
  const reason = `${bare}: ${message}`;
  // Told as 429, which it means, so that the rate is brought down as for HTTP.
  if (THROTTLED.test(bare) || status === 429) return { kind: 'retry', reason, status: 429 };
  if (NOT_KNOWN.test(bare)) return { kind: 'deauthorized', reason, status };
  // An error over an answer that says all is well: what answered was not AWS.
  if (status < 400) return { kind: 'retry', reason: `the answer can't be read: ${reason}`, status };
  if (PASSING.test(bare) || status >= 500 || status === 408) return { kind: 'retry', reason, status };
  if (status === 401 || status === 403) return { kind: 'deauthorized', reason, status };
  return { kind: 'refused', reason, status };
}
