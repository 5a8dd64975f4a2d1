/** The names and the encoding of the headers of our records. Reading never throws: anybody may write headers. */
import { hash } from 'node:crypto';
import { type TestVariation, testVariation } from './test-variation.ts';

/** Header values as Kafka stores them. A header sent several times is an array. */
export type HeaderValues = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;

export const HEADER = {
  eventId: 'event-id',
  eventType: 'event-type',
  /** The position that the event was read from, `<intake topic>/<partition>/<offset>`: its identity (identity.ts). */
  source: 'source',
  /** When the broker appended the event to the intake, in ms since the epoch. */
  intakeAt: 'intake-at',
  /** The number of attempts that were made; absent in the main lane. */
  attempt: 'attempt',
  /** When the first attempt was made, in ms since the epoch. */
  firstAttemptAt: 'first-attempt-at',
  lastOutcome: 'last-outcome',
  /** The subscription's `enableEpoch` under which `attempt` and `first-attempt-at` were counted. */
  enableEpoch: 'enable-epoch',
  replayId: 'replay-id',
  /** In a tombstone of an erased record: the digest of the event (privacy/erasures.ts). */
  erased: 'erased',
  /** In such a tombstone: the time when the erased record was appended, in ms since the epoch. */
  writtenAt: 'written-at',
  /** A test, not an event: its value is the document itself, valid for this many ms from the record's time on. */
  test: 'test',
  /** For a test: the fingerprint of the connection that must be used (status.ts). */
  testConnection: 'test-connection',
  /** For a test: how its request deviates from that of an event (test-variation.ts). */
  testVariation: 'test-variation',
  traceparent: 'traceparent',
  /** The trace context of the previous attempt, to which the next one is linked; present only if both are recorded. */
  attemptTraceparent: 'attempt-traceparent',
  deadLetterReason: 'dead-letter-reason',
  deadLetterDetail: 'dead-letter-detail',
  quarantineReason: 'quarantine-reason',
  quarantineDetail: 'quarantine-detail',
  /** A quarantined record's key at the intake: the event id may be a hash of it, so a redrive needs it. */
  intakeKey: 'intake-key',
} as const;

/** The headers of a record in a delivery, retry or dead-letter topic. */
export interface DeliveryHeaders {
  /** Empty if the header is missing: we did not write such a record. */
  readonly eventId: string;
  /** Empty if the header is missing. */
  readonly eventType: string;
  readonly source?: string;
  /**
   * When the event was appended to the intake, by the broker's clock. Absent if an earlier version of fan-out copied
   * it.
   */
  readonly intakeAtMs?: number;
  /** The number of attempts made so far: 0 in the main lane. */
  readonly attempt: number;
  readonly firstAttemptAtMs?: number;
  readonly lastOutcome?: string;
  /**
   * Absent in the main lane. Attempts that were counted under an older epoch than the subscription's do not count any
   * more.
   */
  readonly enableEpoch?: number;
  readonly replayId?: string;
  readonly traceparent?: string;
  /** `traceparent` of the previous attempt. */
  readonly attemptTraceparent?: string;
  /** Only for tests: the test is sent within this many ms of the record's time, or never. */
  readonly testWithinMs?: number;
  /** Only for tests: the {@link connectionOf} that the worker must know before it sends. */
  readonly testConnection?: string;
  /** Only for tests that deviate. */
  readonly testVariation?: TestVariation;
}

/** Why a record became a dead letter. */
export interface DeadLetterHeaders extends DeliveryHeaders {
  readonly reason: string;
  readonly detail?: string;
}

/** @returns the header as text; if it was sent several times, the last one, as Kafka's own clients do */
export function headerText(headers: HeaderValues, name: string): string | undefined {
  const value = headers[name];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : last?.toString('utf8');
}

function headerCount(headers: HeaderValues, name: string): number | undefined {
  const text = headerText(headers, name);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A malformed value reads as if the header were absent. */
export function readDeliveryHeaders(headers: HeaderValues): DeliveryHeaders {
  const source = sourceOf(headers);
  const intakeAtMs = headerCount(headers, HEADER.intakeAt);
  const firstAttemptAtMs = headerCount(headers, HEADER.firstAttemptAt);
  const lastOutcome = headerText(headers, HEADER.lastOutcome);
  const enableEpoch = headerCount(headers, HEADER.enableEpoch);
  const replayId = headerText(headers, HEADER.replayId);
  const traceparent = traceparentOf(headers);
  const attemptTraceparent = traceparentOf(headers, HEADER.attemptTraceparent);
  const testWithinMs = headerCount(headers, HEADER.test);
  const testConnection = testWithinMs === undefined ? undefined : headerText(headers, HEADER.testConnection);
  const variation = testWithinMs === undefined ? undefined : testVariation(headerText(headers, HEADER.testVariation));
  return {
    eventId: headerText(headers, HEADER.eventId) ?? '',
    eventType: headerText(headers, HEADER.eventType) ?? '',
    attempt: headerCount(headers, HEADER.attempt) ?? 0,
    ...(source !== undefined && { source }),
    ...(intakeAtMs !== undefined && { intakeAtMs }),
    ...(firstAttemptAtMs !== undefined && { firstAttemptAtMs }),
    ...(lastOutcome !== undefined && { lastOutcome }),
    ...(enableEpoch !== undefined && { enableEpoch }),
    ...(replayId !== undefined && { replayId }),
    ...(traceparent !== undefined && { traceparent }),
    ...(attemptTraceparent !== undefined && { attemptTraceparent }),
    ...(testWithinMs !== undefined && { testWithinMs }),
    ...(testConnection !== undefined && { testConnection }),
    ...(variation !== undefined && { testVariation: variation }),
  };
}

/** The inverse of {@link readDeliveryHeaders}. Attempt 0 and unknown values are omitted. */
export function writeDeliveryHeaders(fields: DeliveryHeaders): Record<string, string> {
  const headers: Record<string, string> = { [HEADER.eventId]: fields.eventId, [HEADER.eventType]: fields.eventType };
  if (fields.source !== undefined) headers[HEADER.source] = fields.source;
  if (fields.intakeAtMs !== undefined) headers[HEADER.intakeAt] = String(fields.intakeAtMs);
  if (fields.attempt > 0) headers[HEADER.attempt] = String(fields.attempt);
  if (fields.firstAttemptAtMs !== undefined) headers[HEADER.firstAttemptAt] = String(fields.firstAttemptAtMs);
  if (fields.lastOutcome !== undefined) headers[HEADER.lastOutcome] = fields.lastOutcome;
  if (fields.enableEpoch !== undefined) headers[HEADER.enableEpoch] = String(fields.enableEpoch);
  if (fields.replayId !== undefined) headers[HEADER.replayId] = fields.replayId;
  if (fields.testWithinMs !== undefined) headers[HEADER.test] = String(fields.testWithinMs);
  if (fields.testConnection !== undefined) headers[HEADER.testConnection] = fields.testConnection;
  if (fields.testVariation !== undefined) headers[HEADER.testVariation] = fields.testVariation;
  if (fields.traceparent !== undefined) headers[HEADER.traceparent] = fields.traceparent;
  if (fields.attemptTraceparent !== undefined) headers[HEADER.attemptTraceparent] = fields.attemptTraceparent;
  return headers;
}

export function readDeadLetterHeaders(headers: HeaderValues): DeadLetterHeaders {
  const detail = headerText(headers, HEADER.deadLetterDetail);
  return {
    ...readDeliveryHeaders(headers),
    reason: headerText(headers, HEADER.deadLetterReason) ?? 'unknown',
    ...(detail !== undefined && { detail }),
  };
}

export function writeDeadLetterHeaders(fields: DeadLetterHeaders): Record<string, string> {
  const headers = writeDeliveryHeaders(fields);
  headers[HEADER.deadLetterReason] = fields.reason;
  if (fields.detail !== undefined) headers[HEADER.deadLetterDetail] = fields.detail;
  return headers;
}

function sourceOf(headers: HeaderValues): string | undefined {
  const source = headerText(headers, HEADER.source);
  return source !== undefined && SOURCE.test(source) ? source : undefined;
}

/** Kafka's own limits: of a topic's name; of a partition, which is an int; and of an offset, which is a long. */
const SOURCE = /^([\w.-]{1,249})\/(\d{1,10})\/(\d{1,16})$/;

/** `<topic>/<partition>/<offset>`: unique, and readable by a person who looks for the original. */
export function formatSource(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}

export function parseSource(source: string): { topic: string; partition: number; offset: number } | undefined {
  const parts = SOURCE.exec(source);
  return parts?.[1] ? { topic: parts[1], partition: Number(parts[2]), offset: Number(parts[3]) } : undefined;
}

/** The caller's trace context (W3C), or `undefined` if there is none or it is not valid. */
export function traceparentOf(headers: HeaderValues, name: string = HEADER.traceparent): string | undefined {
  const text = headerText(headers, name);
  return text !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text) ? text : undefined;
}

/** An id is sent as an HTTP header and as an SQS deduplication id: at most 128 visible ASCII characters. */
const USABLE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * The event's id, the same in every retry, replay and redrive: the producer's `event-id` header, or if there is none
 * (or none that an HTTP header can carry) a hash of event type, key and value, so that an event that a producer or we
 * write twice keeps its id.
 */
export function eventIdOf(
  record: { readonly key: Buffer | null; readonly value: Buffer | null; readonly headers: HeaderValues },
  eventType: string,
): string {
  const given = headerText(record.headers, HEADER.eventId);
  if (given !== undefined && USABLE_ID.test(given)) return given;
  // The lengths distinguish two different splits of the same bytes.
  const lengths = `${eventType}\n${record.key?.length ?? -1}\n${record.value?.length ?? -1}\n`;
  const bytes = [Buffer.from(lengths), record.key ?? EMPTY, record.value ?? EMPTY];
  return `evt_${hash('sha256', Buffer.concat(bytes), 'base64url')}`;
}

const EMPTY = Buffer.alloc(0);
