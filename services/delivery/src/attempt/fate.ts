import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import type { Attempt } from '@databridge/schemas/records/attempts';
import {
  type DeliveryHeaders,
  writeDeadLetterHeaders,
  writeDeliveryHeaders,
} from '@databridge/schemas/records/headers';
import { copyKeyOf, letterKeyOf } from '@databridge/schemas/records/identity';
import type { DeadLetterReason } from '@databridge/schemas/records/reasons';
import { deadTopic, formatDelay, retryTopic } from '@databridge/schemas/records/topics';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { Outcome } from './outcome.ts';
import { type DisableReason, verdictOf } from './verdict.ts';

/** An attempt that has begun. */
export interface Begun {
  readonly customer: string;
  /** From the subscription: attempts that were counted under an older epoch do not count any more. */
  readonly enableEpoch: number;
  /** The number of this attempt; the first is 1. */
  readonly attempt: number;
  readonly atMs: number;
  readonly firstAttemptAtMs: number;
}

/** The next step of a record after an attempt. Its offset is done only in the first two cases. */
export type Fate =
  | { readonly kind: 'done' }
  /** The offset is done once the next topic (retry or dead letters) has the record. */
  | { readonly kind: 'moved'; readonly to: ProducedRecord; readonly because?: DeadLetterReason }
  /** The record goes back to its lane, and no attempt is used up. */
  | { readonly kind: 'kept' }
  /** The record goes back to its lane, and the customer is disabled: everything stays in place. */
  | { readonly kind: 'disabled'; readonly reason: DisableReason; readonly detail: string };

/** The limit of a detail, which travels as a record header and is shown to people. */
const MAX_DETAIL_CHARS = 500;

/** Enabling gives every waiting event a new budget: its count and the time of its first attempt start again. */
export function beginAttempt(customer: string, facts: DeliveryHeaders, enableEpoch: number, nowMs: number): Begun {
  const counts = facts.attempt > 0 && (facts.enableEpoch ?? 0) >= enableEpoch;
  const attempt = counts ? facts.attempt + 1 : 1;
  const firstAttemptAtMs = counts ? (facts.firstAttemptAtMs ?? nowMs) : nowMs;
  return { customer, enableEpoch, attempt, atMs: nowMs, firstAttemptAtMs };
}

/**
 * Decides what happens to a record, from the outcome of its attempt.
 * @param lastSuccessAtMs when the destination last accepted an event of this customer
 * @param traceparent of the attempt's span, if it has one
 */
export function fateOf(
  record: BufferedRecord,
  begun: Begun,
  outcome: Outcome,
  at: { readonly nowMs: number; readonly lastSuccessAtMs: number | undefined },
  plan: RetryPlan,
  traceparent?: string,
): Fate {
  const verdict = verdictOf(outcome, { ...begun, ...at }, plan);
  switch (verdict.kind) {
    case 'done':
      return verdict;
    case 'retry':
      return { kind: 'moved', to: retryRecord(record, begun, verdict.delay, outcome, traceparent) };
    case 'dead':
      return deadLetter(record, begun, verdict.reason, outcome);
    case 'keep':
      return { kind: 'kept' };
    case 'disable':
      return { kind: 'disabled', reason: verdict.reason, detail: detailOf(outcome) };
  }
}

/** Moves the record to the dead letters, regardless of the retry plan. */
export function deadLetter(record: BufferedRecord, begun: Begun, because: DeadLetterReason, outcome: Outcome): Fate {
  const { customer, attempt, firstAttemptAtMs } = begun;
  const headers = { ...record.facts, attempt, firstAttemptAtMs, reason: because, detail: detailOf(outcome) };
  const to = {
    topic: deadTopic(customer),
    key: letterKeyOf(record.facts),
    value: record.value,
    headers: writeDeadLetterHeaders(headers),
  };
  return { kind: 'moved', to, because };
}

function retryRecord(
  record: BufferedRecord,
  { customer, attempt, firstAttemptAtMs, enableEpoch }: Begun,
  delay: string,
  outcome: Outcome,
  traceparent: string | undefined,
): ProducedRecord {
  const { attemptTraceparent: _, ...facts } = record.facts;
  const headers = {
    ...facts,
    attempt,
    firstAttemptAtMs,
    enableEpoch,
    lastOutcome: detailOf(outcome),
    ...(traceparent !== undefined && { attemptTraceparent: traceparent }),
  };
  return {
    topic: retryTopic(customer, delay),
    key: copyKeyOf(headers),
    value: record.value,
    headers: writeDeliveryHeaders(headers),
  };
}

function detailOf(outcome: Outcome): string {
  return 'reason' in outcome ? outcome.reason.slice(0, MAX_DETAIL_CHARS) : `status ${outcome.status}`;
}

/** The entry that the attempt log keeps. */
export function attemptReport(
  { facts, lane }: BufferedRecord,
  { attempt, atMs }: Pick<Begun, 'attempt' | 'atMs'>,
  durationMs: number,
  outcome: Outcome,
  answer: string | undefined,
): Attempt {
  const report: Attempt = {
    eventId: facts.eventId,
    attempt,
    at: atMs,
    durationMs,
    outcome: outcome.kind,
    lane: lane.delayMs > 0 ? formatDelay(lane.delayMs) : 'main',
  };
  if (facts.replayId !== undefined) report.replayId = facts.replayId;
  if (facts.source !== undefined) report.source = facts.source;
  if ('status' in outcome && outcome.status !== undefined) report.status = outcome.status;
  if ('reason' in outcome) report.error = outcome.reason;
  if ('operatorDetail' in outcome && outcome.operatorDetail !== undefined) {
    report.operatorDetail = outcome.operatorDetail.slice(0, MAX_DETAIL_CHARS);
  }
  if ('note' in outcome && outcome.note !== undefined) report.note = outcome.note;
  if (answer !== undefined && outcome.kind !== 'delivered') report.answer = answer;
  return report;
}
