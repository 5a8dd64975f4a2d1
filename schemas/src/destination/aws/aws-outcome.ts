/** Decides what an error code of AWS means for an event. */
import type { Outcome } from '../outcome.ts';
import type { AwsAnswer } from './aws-service.ts';

/** As AWS's SDKs list them (`THROTTLING_ERROR_CODES`), and what single services say. */
// cspell:ignore throttl
const THROTTLED =
  /^(Throttl|RequestThrottled|TooManyRequests|RequestLimitExceeded|LimitExceeded|BandwidthLimitExceeded|ProvisionedThroughputExceeded|EC2Throttled|PriorRequestNotComplete|TransactionInProgress|SlowDown|KMS\.?Throttl|OverLimit)/i;
/** AWS rejects our credentials, or may not use the key that encrypts the queue or topic: whatever the status. */
const NOT_KNOWN =
  /^(AccessDenied|AuthFailure|AuthorizationError|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|ExpiredToken|TokenRefreshRequired|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|NotAuthorized|OptInRequired|SubscriptionRequired|InvalidSecurity|KMS\.?(AccessDenied|Disabled|InvalidState|InvalidKeyUsage|NotFound|OptInRequired)|CredentialsProviderError|InvalidIdentityToken)/i;
/** Caused by clocks or a temporary state rather than by the event. */
const PASSING =
  /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture|RequestTimeout|InternalFailure|InternalError|InternalException|InternalServerError|InternalServiceError|ServiceUnavailable|QueueDeletedRecently|ConcurrentModification|KMS\.?Internal)/i;

/** @param code the code of AWS, with or without the name of the service before it */
export function outcomeOfCode(code: string, message: string, status: number): Outcome {
  const bare = bareCode(code);
  const reason = `${bare}: ${message}`;
  // Reported as 429, its meaning, so that the rate is reduced as for HTTP.
  if (THROTTLED.test(bare) || status === 429) return { kind: 'retry', reason, status: 429 };
  if (NOT_KNOWN.test(bare)) return { kind: 'deauthorized', reason, status };
  // An error from an answer with a success status: it did not come from AWS.
  if (status < 400) return { kind: 'retry', reason: `the answer can't be read: ${reason}`, status };
  if (PASSING.test(bare) || status >= 500 || status === 408) return { kind: 'retry', reason, status };
  if (status === 401 || status === 403) return { kind: 'deauthorized', reason, status };
  return { kind: 'refused', reason, status };
}

/** KMS stays: its errors are about the key, and named as others are. */
const bareCode = (code: string) => /(?:KMS\.)?[^.#]*$/.exec(code)?.[0] ?? code;

export interface AwsError {
  readonly code: string;
  readonly message: string;
}

/** An answer in another format than the service's protocol, such as a proxy's error page. */
export const unreadable = ({ status }: AwsAnswer): AwsError => ({ code: 'Unreadable', message: `status ${status}` });

/** The body of an answer in AWS JSON 1.0 or 1.1. @returns undefined if it is not a JSON object */
export function jsonOf({ body }: AwsAnswer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The error in an answer in AWS JSON 1.0 or 1.1 (`__type`, `message`), or in the header of services that had a query protocol. */
export function jsonErrorOf(answer: AwsAnswer): AwsError {
  const json = jsonOf(answer);
  if (json === undefined) return unreadable(answer);
  const [queryCode] = String(answer.headers['x-amzn-query-error'] ?? '').split(';');
  const code = queryCode || json['__type'] || answer.headers['x-amzn-errortype'];
  if (code === undefined) return unreadable(answer);
  return { code: String(code), message: String(json['message'] ?? json['Message'] ?? '') };
}
