/**
 * Every error that the services throw, by code. Expected failures of a delivery are not here: they are values
 * (`Outcome`). A row says whether the same call may succeed later, and which HTTP status an API answers with.
 */
const ERRORS = {
  DB_CONFIG_INVALID: { retryable: false, httpStatus: 500 },
  DB_EGRESS_REFUSED: { retryable: true, httpStatus: 422 },
  DB_EGRESS_PROXY: { retryable: true, httpStatus: 502 },
  DB_KEY_RING_INVALID: { retryable: false, httpStatus: 500 },
  DB_SECRET_UNSEALABLE: { retryable: false, httpStatus: 500 },
  DB_SECRET_INVALID: { retryable: false, httpStatus: 422 },
  DB_INPUT_INVALID: { retryable: false, httpStatus: 422 },
  DB_TARGET_REFUSED: { retryable: false, httpStatus: 400 },
  DB_NOT_FOUND: { retryable: false, httpStatus: 404 },
  DB_METHOD_NOT_ALLOWED: { retryable: false, httpStatus: 405 },
  DB_CONFLICT: { retryable: false, httpStatus: 409 },
  DB_UNAUTHENTICATED: { retryable: false, httpStatus: 401 },
  DB_FORBIDDEN: { retryable: false, httpStatus: 403 },
  DB_CROSS_ORIGIN: { retryable: false, httpStatus: 403 },
  DB_TOO_MANY_FAILURES: { retryable: true, httpStatus: 429 },
  DB_RATE_LIMITED: { retryable: true, httpStatus: 429 },
  DB_BUSY: { retryable: true, httpStatus: 503 },
  DB_PRECONDITION_FAILED: { retryable: false, httpStatus: 412 },
  DB_PRECONDITION_REQUIRED: { retryable: false, httpStatus: 428 },
  DB_NOT_THE_WRITER: { retryable: true, httpStatus: 503 },
  DB_TRIALS_BUSY: { retryable: true, httpStatus: 503 },
  DB_TRIAL_STOPPED: { retryable: false, httpStatus: 422 },
  DB_FORWARDING_REFUSED: { retryable: false, httpStatus: 401 },
  DB_TEST_UNANSWERED: { retryable: true, httpStatus: 504 },
  DB_WORKER_UNANSWERED: { retryable: true, httpStatus: 504 },
  DB_ISSUER_UNAVAILABLE: { retryable: true, httpStatus: 503 },
  DB_INTERNAL: { retryable: false, httpStatus: 500 },
  DB_TOPIC_SETTINGS: { retryable: false, httpStatus: 500 },
  DB_KAFKA_UNAVAILABLE: { retryable: true, httpStatus: 503 },
  DB_KAFKA_UNKNOWN_TOPIC: { retryable: true, httpStatus: 503 },
  DB_KAFKA_NOT_ACKNOWLEDGED: { retryable: true, httpStatus: 503 },
  DB_KAFKA_RECORD_TOO_LARGE: { retryable: false, httpStatus: 413 },
  DB_KAFKA_REFUSED: { retryable: false, httpStatus: 502 },
  DB_KAFKA_CLOSED: { retryable: false, httpStatus: 503 },
  DB_KAFKA_MEMBERSHIP_LOST: { retryable: false, httpStatus: 409 },
  DB_KAFKA_NOT_ASSIGNED: { retryable: false, httpStatus: 500 },
  DB_KAFKA_METADATA_TOO_LONG: { retryable: false, httpStatus: 500 },
  DB_KAFKA_FENCED: { retryable: true, httpStatus: 503 },
  DB_KAFKA_GROUP_ACTIVE: { retryable: false, httpStatus: 409 },
  DB_KAFKA_CLIENT_CHANGED: { retryable: false, httpStatus: 500 },
  DB_REGISTRY_UNAVAILABLE: { retryable: true, httpStatus: 503 },
  DB_REGISTRY_REFUSED: { retryable: false, httpStatus: 502 },
  DB_START_FAILED: { retryable: true, httpStatus: 503 },
  DB_STOP_TIMED_OUT: { retryable: false, httpStatus: 500 },
  DB_PLATFORM_JAVA_MISSING: { retryable: false, httpStatus: 500 },
  DB_PLATFORM_JAVA_TOO_OLD: { retryable: false, httpStatus: 500 },
  DB_PLATFORM_MAVEN_MISSING: { retryable: false, httpStatus: 500 },
  DB_PLATFORM_MAVEN_TOO_OLD: { retryable: false, httpStatus: 500 },
  DB_PLATFORM_DOCKER_MISSING: { retryable: false, httpStatus: 500 },
  DB_PLATFORM_FETCH_FAILED: { retryable: true, httpStatus: 500 },
  DB_PLATFORM_START_FAILED: { retryable: true, httpStatus: 500 },
  DB_PLATFORM_ENDED: { retryable: true, httpStatus: 500 },
  DB_PLATFORM_PORT_TAKEN: { retryable: true, httpStatus: 500 },
  DB_PLATFORM_DATA_IN_USE: { retryable: true, httpStatus: 500 },
  DB_PLATFORM_HALF_CONFIGURED: { retryable: false, httpStatus: 500 },
} as const satisfies Record<`DB_${string}`, { retryable: boolean; httpStatus: number }>;

export type ErrorCode = keyof typeof ERRORS;

export class DatabridgeError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabridgeError';
    this.code = code;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  get httpStatus(): number {
    return ERRORS[this.code].httpStatus;
  }
}

/** The text of any thrown value, cut to what a log line or a header can contain. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
