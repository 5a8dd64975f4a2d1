import { messageOf } from '@databridge/kernel/errors';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Clock } from '@databridge/kernel/time/clock';
import type { Attempt } from '@databridge/schemas/records/attempts';
import {
  type DeliveryHeaders,
  writeDeadLetterHeaders,
  writeDeliveryHeaders,
} from '@databridge/schemas/records/headers';
import { letterKeyOf } from '@databridge/schemas/records/identity';
import { deadTopic, formatDelay, retryTopic } from '@databridge/schemas/records/topics';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Message, Sent } from '../destination/destination.ts';
import type { HeldRecord } from '../lanes/held-records.ts';
import type { AttemptTrace } from './attempt-traces.ts';
import type { Outcome } from './outcome.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** What one delivery needs of its customer. */
export interface DeliveryContext {
  readonly customer: string;
  /** Of the subscription: attempts that were counted under an older one count no more. */
  enableEpoch(): number;
  /** Fingerprint of where events go and how they are authenticated: `connectionOf` of the subscription. */
  connection(): string;
  readonly plan: RetryPlan;
  readonly clock: Clock;
  readonly log: Logger;
  /** The event as the destination gets it. Waits while the registry can't be asked. */
  render(record: HeldRecord, attempt: number): Message | Promise<Message | undefined>;
  /** Whether it was erased: then it is neither sent nor written anywhere again. Left out: nothing was ever erased. */
  isErased?(facts: DeliveryHeaders): boolean;
  /** Whether this worker still is the one to send it, as far as it can know. */
  maySend(record: HeldRecord): boolean;
  /** undefined: cut off because the customer is stopping, or not begun because `mayStart` said no. */
  send(message: Message, nowMs: number, mayStart: () => boolean): Promise<Sent | undefined>;
  /** Shows the outcome to breaker, connection and rate. @returns what it means for this event */
  observe(record: HeldRecord, outcome: Outcome, durationMs: number): Outcome;
  lastSuccessAtMs(): number | undefined;
  /** Begins the attempt's span. undefined, or left out: this event is not recorded. */
  trace?(record: HeldRecord, attempt: number, startedAtMs: number): AttemptTrace | undefined;
  report(attempt: Attempt): void;
  /**
   * Whether the record is still ours to decide on. During a rebalance it takes until that is over to know: the same
   * member with the same assignment goes on where it was.
   */
  isOurs(record: HeldRecord): boolean | Promise<boolean>;
  /** Resolves when Kafka has the record, however long that takes; false if it stopped being ours to write. */
  write(record: ProducedRecord, of: HeldRecord): Promise<boolean>;
  /** The offset is done. */
  done(record: HeldRecord): void;
  /** The record, which is ours, goes back to its lane: not done, no attempt spent. */
  keep(record: HeldRecord): void;
  disable(reason: 'exhausted' | 'gone', detail: string): void;
}

const MAX_INTERNAL_TRIES = 3;
/** A detail travels as a record header, and is shown to people. */
const MAX_DETAIL_CHARS = 500;

/**
 * The life of one delivery, from the moment that its record is due, the gate open and a rate token taken (`pump` in
 * customer.ts sees to that), to the moment that its offset is done. A record whose schema had to be waited for goes back
 * to its lane, and asks gate and rate anew: so an outage of the registry neither hoards tokens nor makes signatures old.
 *
 *     render ─▶ authorize, send ─▶ outcome ─▶ verdict ─┬─ done ──────────────────────────▶ offset done
 *                                                      ├─ retry ─▶ retry topic has it ───▶ offset done
 *                                                      ├─ dead ──▶ dead letters have it ─▶ offset done
 *                                                      └─ keep, disable ─▶ back to its lane, not done
 *
 * An offset is done when the destination accepted the record, when the next topic acknowledged it, or when the event is
 * erased; nothing else.
 */
export async function deliver(record: HeldRecord, context: DeliveryContext): Promise<void> {
  const { clock, plan } = context;
  if (context.isErased?.(record.facts)) {
    if (await context.isOurs(record)) context.done(record);
    return;
  }
  const startedAtMs = clock.nowMs();
  const { attempt, firstAttemptAtMs } = attemptOf(record.facts, context.enableEpoch(), startedAtMs);

  const trace = context.trace?.(record, attempt, startedAtMs);
  const sent = await sendOnce(record, attempt, startedAtMs, context, trace);
  const nowMs = clock.nowMs();
  trace?.end(sent?.outcome, nowMs);
  if (sent === undefined) return keepIfOurs(record, context);

  // A worker that was replaced while the request was under way has no say any more: the next owner delivers it again.
  const isOurs = context.isOurs(record);
  if (isOurs !== true && !(await isOurs)) return;
  const outcome = context.observe(record, sent.outcome, nowMs - startedAtMs);
  // It may have been erased while the request was under way. The answer may quote it.
  const isErased = context.isErased?.(record.facts) ?? false;
  const answer = isErased ? undefined : sent.answerBody;
  const report = attemptReport(record, attempt, startedAtMs, nowMs - startedAtMs, outcome, answer);
  context.report(trace === undefined ? report : { ...report, traceId: trace.traceId });
  if (isErased) return context.done(record);

  const lastSuccessAtMs = context.lastSuccessAtMs();
  const verdict = verdictOf(outcome, { attempt, firstAttemptAtMs, nowMs, lastSuccessAtMs }, plan);
  switch (verdict.kind) {
    case 'done':
      return context.done(record);
    case 'retry': {
      const next = retryRecord(record, verdict, outcome, attempt, firstAttemptAtMs, context, trace);
      if (await context.write(next, record)) context.done(record);
      return;
    }
    case 'dead': {
      const letter = deadLetter(record, verdict, outcome, attempt, firstAttemptAtMs, context);
      if (await context.write(letter, record)) context.done(record);
      return;
    }
    case 'keep':
      return context.keep(record);
    case 'disable':
      context.keep(record);
      return context.disable(verdict.reason, detailOf(outcome));
  }
}

/** Enabling gives every waiting event a new budget: its count and its first attempt begin again. */
function attemptOf(facts: DeliveryHeaders, enableEpoch: number, nowMs: number) {
  const counts = facts.attempt > 0 && (facts.enableEpoch ?? 0) >= enableEpoch;
  if (!counts) return { attempt: 1, firstAttemptAtMs: nowMs };
  return { attempt: facts.attempt + 1, firstAttemptAtMs: facts.firstAttemptAtMs ?? nowMs };
}

/** Back to its lane, unless that is another's by now. In a rebalance the lane may go on: it must not miss its record. */
async function keepIfOurs(record: HeldRecord, context: DeliveryContext): Promise<void> {
  if (await context.isOurs(record)) context.keep(record);
}

/**
 * Delivers, and copes with a bug anywhere in {@link deliver}: the record is tried again, and after a few times it goes
 * to the dead letters, so that it neither is lost nor comes again and again.
 */
export async function deliverSafely(record: HeldRecord, context: DeliveryContext): Promise<void> {
  try {
    await deliver(record, context);
  } catch (error) {
    const failures = (failuresOf.get(record) ?? 0) + 1;
    failuresOf.set(record, failures);
    context.log.error(
      { event: 'delivery_internal_error', err: error, eventId: record.facts.eventId, failures },
      'delivery failed with an internal error',
    );
    if (failures < MAX_INTERNAL_TRIES) return keepIfOurs(record, context);
    const attempted = attemptOf(record.facts, context.enableEpoch(), context.clock.nowMs());
    const outcome = { kind: 'internal', reason: messageOf(error) } as const;
    const verdict = { kind: 'dead', reason: 'internal' } as const;
    const letter = deadLetter(record, verdict, outcome, attempted.attempt, attempted.firstAttemptAtMs, context);
    if (await context.write(letter, record)) context.done(record);
  }
}

/** Kept beside the record, which is put back in between. */
const failuresOf = new WeakMap<HeldRecord, number>();

/** @returns undefined when nothing was sent: it waited for its schema, the customer is stopping, or is no longer ours */
async function sendOnce(
  record: HeldRecord,
  attempt: number,
  nowMs: number,
  context: DeliveryContext,
  trace: AttemptTrace | undefined,
): Promise<Sent | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      const message = context.render(record, attempt);
      if (message instanceof Promise) {
        // It may wait for hours. What was allowed before that no longer counts.
        await message;
        return undefined;
      }
      if (!context.maySend(record)) return undefined;
      const traced = trace === undefined ? message : { ...message, traceparent: trace.traceparent };
      return await context.send(traced, nowMs, () => context.maySend(record));
    } catch (error) {
      context.log.error(
        { event: 'delivery_internal_error', err: error, eventId: record.facts.eventId, tries },
        'delivery failed with an internal error',
      );
      if (tries >= MAX_INTERNAL_TRIES) return { outcome: { kind: 'internal', reason: messageOf(error) } };
    }
  }
}

function retryRecord(
  record: HeldRecord,
  verdict: Extract<Verdict, { kind: 'retry' }>,
  outcome: Outcome,
  attempt: number,
  firstAttemptAtMs: number,
  { customer, enableEpoch }: DeliveryContext,
  trace: AttemptTrace | undefined,
): ProducedRecord {
  const { attemptTraceparent: _, ...facts } = record.facts;
  const headers = {
    ...facts,
    attempt,
    firstAttemptAtMs,
    enableEpoch: enableEpoch(),
    lastOutcome: detailOf(outcome),
    ...(trace && { attemptTraceparent: trace.traceparent }),
  };
  const topic = retryTopic(customer, verdict.delay);
  return { topic, key: record.key, value: record.value, headers: writeDeliveryHeaders(headers) };
}

function deadLetter(
  record: HeldRecord,
  verdict: Extract<Verdict, { kind: 'dead' }>,
  outcome: Outcome,
  attempt: number,
  firstAttemptAtMs: number,
  { customer }: DeliveryContext,
): ProducedRecord {
  const headers = { ...record.facts, attempt, firstAttemptAtMs, reason: verdict.reason, detail: detailOf(outcome) };
  return {
    topic: deadTopic(customer),
    key: letterKeyOf(record.facts),
    value: record.value,
    headers: writeDeadLetterHeaders(headers),
  };
}

function detailOf(outcome: Outcome): string {
  return 'reason' in outcome ? outcome.reason.slice(0, MAX_DETAIL_CHARS) : `status ${outcome.status}`;
}

export function attemptReport(
  { facts, lane }: HeldRecord,
  attempt: number,
  at: number,
  durationMs: number,
  outcome: Outcome,
  answer: string | undefined,
): Attempt {
  const report: Attempt = {
    eventId: facts.eventId,
    attempt,
    at,
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
