/** The names and the coding of the headers that our records carry. Reading never throws: headers come from anyone. */
import { hash } from 'node:crypto';
import { type TestVariation, testVariation } from './test-variation.ts';

/** Header values as Kafka holds them. A header sent several times is an array. */
export type HeaderValues = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;

export const HEADER = {
  eventId: 'event-id',
  eventType: 'event-type',
  /** Where the event came from, `<intake topic>/<partition>/<offset>`: its identity (identity.ts). */
  source: 'source',
  /** When the broker appended the event to the intake, in ms since the epoch. */
  intakeAt: 'intake-at',
  /** How many attempts were made; absent in the main lane. */
  attempt: 'attempt',
  /** When the first attempt was made, in ms since the epoch. */
  firstAttemptAt: 'first-attempt-at',
  lastOutcome: 'last-outcome',
  /** The subscription's `enableEpoch` under which `attempt` and `first-attempt-at` were counted. */
  enableEpoch: 'enable-epoch',
  replayId: 'replay-id',
  /** A test, not an event: its value is the document itself, valid for this many ms from the record's time on. */
  test: 'test',
  /** Of a test: the fingerprint of the connection that it is to be sent by (status.ts). */
  testConnection: 'test-connection',
  /** Of a test: how its request deviates from that of an event (test-variation.ts). */
  testVariation: 'test-variation',
  traceparent: 'traceparent',
  /** Of the attempt before, to which the next one is linked; only while both are recorded. */
  attemptTraceparent: 'attempt-traceparent',
  deadLetterReason: 'dead-letter-reason',
  deadLetterDetail: 'dead-letter-detail',
  quarantineReason: 'quarantine-reason',
  quarantineDetail: 'quarantine-detail',
  /** A quarantined record's key at the intake: the event id may be a hash of it, so a redrive needs it. */
  intakeKey: 'intake-key',
} as const;

/** What a record in a delivery, retry or dead-letter topic says about itself. */
export interface DeliveryHeaders {
  /** Empty if the header is missing: such a record was not written by us. */
  readonly eventId: string;
  /** Empty if the header is missing. */
  readonly eventType: string;
  readonly source?: string;
  /** When the event was appended to the intake, by the broker's clock. Absent: an earlier version of fan-out copied it. */
  readonly intakeAtMs?: number;
  /** Attempts made so far: 0 in the main lane. */
  readonly attempt: number;
  readonly firstAttemptAtMs?: number;
  readonly lastOutcome?: string;
  /** Absent in the main lane. Attempts counted under an older epoch than the subscription's count no more. */
  readonly enableEpoch?: number;
  readonly replayId?: string;
  readonly traceparent?: string;
  /** `traceparent` of the previous attempt. */
  readonly attemptTraceparent?: string;
  /** Only of tests: sent within this many ms of the record's time, or never. */
  readonly testWithinMs?: number;
  /** Only of tests: the {@link connectionOf} that the worker must know before it sends. */
  readonly testConnection?: string;
  /** Only of tests that deviate. */
  readonly testVariation?: TestVariation;
}

/** Why a record stands among the dead letters. */
export interface DeadLetterHeaders extends DeliveryHeaders {
  readonly reason: string;
  readonly detail?: string;
}

/** @returns the header as text; of a header sent several times the last, as Kafka's own clients do */
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

/** The inverse of {@link readDeliveryHeaders}. Attempt 0 is left out, as is everything that is unknown. */
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

/** Kafka's own limits of a topic's name; a partition is an int, an offset a long. */
const SOURCE = /^([\w.-]{1,249})\/(\d{1,10})\/(\d{1,16})$/;

/** `<topic>/<partition>/<offset>`: unique, and readable by a person who looks for the original. */
export function formatSource(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}

export function parseSource(source: string): { topic: string; partition: number; offset: number } | undefined {
  const parts = SOURCE.exec(source);
  return parts?.[1] ? { topic: parts[1], partition: Number(parts[2]), offset: Number(parts[3]) } : undefined;
}

/** The caller's trace context (W3C), or `undefined` if there is none or it is not one. */
export function traceparentOf(headers: HeaderValues, name: string = HEADER.traceparent): string | undefined {
  const text = headerText(headers, name);
  return text !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text) ? text : undefined;
}

/** An id travels as an HTTP header and as an SQS deduplication id: 128 visible ASCII characters at most. */
const USABLE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * The event's id, the same in every retry, replay and redrive: the producer's `event-id` header, else (also if that
 * one could not travel as an HTTP header) a hash of event type, key and value, so that an event which a producer
 * or we write twice keeps its id.
 */
export function eventIdOf(
  record: { readonly key: Buffer | null; readonly value: Buffer | null; readonly headers: HeaderValues },
  eventType: string,
): string {
  const given = headerText(record.headers, HEADER.eventId);
  if (given !== undefined && USABLE_ID.test(given)) return given;
  // The lengths keep two different splits of the same bytes apart.
  const lengths = `${eventType}\n${record.key?.length ?? -1}\n${record.value?.length ?? -1}\n`;
  const bytes = [Buffer.from(lengths), record.key ?? EMPTY, record.value ?? EMPTY];
  return `evt_${hash('sha256', Buffer.concat(bytes), 'base64url')}`;
}

const EMPTY = Buffer.alloc(0);
