import { DatabridgeError, type ErrorCode, messageOf } from '../errors.ts';

export type KafkaErrorCode = Extract<ErrorCode, `DB_KAFKA_${string}`>;

/**
 * The errors that the Kafka port throws. `retryable` says whether the same call may succeed later:
 * - `DB_KAFKA_UNAVAILABLE` no broker, no leader, a time-out: the call may have taken effect
 * - `DB_KAFKA_UNKNOWN_TOPIC` no such topic, yet
 * - `DB_KAFKA_NOT_ACKNOWLEDGED` the answer lacks a partition that was sent: its records may be lost
 * - `DB_KAFKA_RECORD_TOO_LARGE` one record exceeds what its topic takes; it never fits
 * - `DB_KAFKA_REFUSED` the broker refuses permanently: authorization, an invalid request
 * - `DB_KAFKA_CLOSED` used after `disconnect` or `stop`
 * - `DB_KAFKA_MEMBERSHIP_LOST`, `DB_KAFKA_NOT_ASSIGNED`, `DB_KAFKA_METADATA_TOO_LONG` a commit that must not be made
 * - `DB_KAFKA_FENCED` another producer has taken over the transactional id: nothing is written
 * - `DB_KAFKA_GROUP_ACTIVE` the group's offsets can't be set: it has members
 * - `DB_KAFKA_CLIENT_CHANGED` the client library is not the one that our patches were written for
 */
export class KafkaPortError extends DatabridgeError {
  declare readonly code: KafkaErrorCode;

  constructor(code: KafkaErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'KafkaPortError';
  }
}

/**
 * The protocol's name of an error (`UNKNOWN_MEMBER_ID`). kafkajs wraps errors once or twice, and then only `cause`
 * contains it.
 */
export function protocolErrorType(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if ('type' in e && typeof e.type === 'string') return e.type;
    // A call that touches several topics or partitions fails with all their errors.
    if ('errors' in e && Array.isArray(e.errors) && e.errors.length > 0) return protocolErrorType(e.errors[0]);
  }
  return undefined;
}

const CODES_BY_TYPE: Readonly<Record<string, KafkaErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'DB_KAFKA_UNKNOWN_TOPIC',
  MESSAGE_TOO_LARGE: 'DB_KAFKA_RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'DB_KAFKA_RECORD_TOO_LARGE',
  UNKNOWN_MEMBER_ID: 'DB_KAFKA_MEMBERSHIP_LOST',
  ILLEGAL_GENERATION: 'DB_KAFKA_MEMBERSHIP_LOST',
  REBALANCE_IN_PROGRESS: 'DB_KAFKA_MEMBERSHIP_LOST',
  FENCED_INSTANCE_ID: 'DB_KAFKA_MEMBERSHIP_LOST',
  OFFSET_METADATA_TOO_LARGE: 'DB_KAFKA_METADATA_TOO_LONG',
  INVALID_PRODUCER_EPOCH: 'DB_KAFKA_FENCED',
  PRODUCER_FENCED: 'DB_KAFKA_FENCED',
  NON_EMPTY_GROUP: 'DB_KAFKA_GROUP_ACTIVE',
};

/**
 * Types of errors that a repetition cannot fix. All others count as temporary: a broker that moves, starts or is cut
 * off.
 */
const REFUSALS = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUEST',
  'INVALID_CONFIG',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_RECORD',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'INCONSISTENT_GROUP_PROTOCOL',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
  'SECURITY_DISABLED',
]);

/** kafkajs's own errors by name, if the protocol has none for them. */
const CODES_BY_NAME: Readonly<Record<string, KafkaErrorCode>> = {
  KafkaJSMetadataNotLoaded: 'DB_KAFKA_UNKNOWN_TOPIC',
  KafkaJSTopicMetadataNotLoaded: 'DB_KAFKA_UNKNOWN_TOPIC',
  KafkaJSSASLAuthenticationError: 'DB_KAFKA_REFUSED',
};

function codeByName(error: unknown): KafkaErrorCode | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const code = CODES_BY_NAME[e.name];
    if (code) return code;
  }
  return undefined;
}

/** A bug in the client or in our code, thrown by the JavaScript engine. It says nothing about the broker. */
export function isBug(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.name === 'TypeError' || e.name === 'RangeError') return true;
  }
  return false;
}

export function toPortError(error: unknown, doing: string): KafkaPortError {
  if (error instanceof KafkaPortError) return error;
  const type = protocolErrorType(error);
  const code: KafkaErrorCode =
    (type === undefined ? undefined : CODES_BY_TYPE[type]) ??
    (type !== undefined && REFUSALS.has(type) ? 'DB_KAFKA_REFUSED' : codeByName(error)) ??
    'DB_KAFKA_UNAVAILABLE';
  return new KafkaPortError(code, `${doing}: ${type ?? messageOf(error)}`, { cause: error });
}

/**
 * Some of the records of a `send` may not be stored. All others are. `code` and `retryable` are those of the first
 * failure.
 */
export class ProduceError extends KafkaPortError {
  /** Positions in the array that was sent, ascending. */
  readonly failedIndexes: readonly number[];

  constructor(first: KafkaPortError, failedIndexes: readonly number[]) {
    super(first.code, first.message, { cause: first });
    this.name = 'ProduceError';
    this.failedIndexes = failedIndexes;
  }
}
