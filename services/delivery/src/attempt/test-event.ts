import { messageOf } from '@databridge/kernel/errors';
import type { Sent } from '../destination/destination.ts';
import type { HeldRecord } from '../lanes/held-records.ts';
import type { DeliveryContext } from './delivery.ts';
import { attemptReport } from './delivery.ts';

/** After so long, the subscription was changed once more, or can't be used: the test is sent as the worker knows it. */
const KNOWN_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * Sends a customer's test event, once, whatever breaker or backlog say: trying is what it is for. What comes of it goes
 * into the attempt log, and nowhere else: it is not tried again, no dead letter, nothing that a breaker or a connection
 * is judged by.
 */
export async function deliverTest(record: HeldRecord, context: DeliveryContext): Promise<void> {
  const { clock } = context;
  await untilConnectionIs(record.facts.testConnection, context);
  const startedAtMs = clock.nowMs();
  const sent = await sendOnce(record, startedAtMs, context);
  if (!(await context.isOurs(record))) return;
  if (sent !== undefined) {
    const tookMs = clock.nowMs() - startedAtMs;
    const report = attemptReport(record, 1, startedAtMs, tookMs, sent.outcome, undefined);
    context.report({ ...report, test: true, ...(sent.answerBody !== undefined && { answer: sent.answerBody }) });
  }
  context.done(record);
}

/** A worker learns of a change a moment after the control plane: a test that follows it must not use what was before. */
async function untilConnectionIs(wanted: string | undefined, { connection, clock }: DeliveryContext): Promise<void> {
  const untilMs = clock.monotonicMs() + KNOWN_WITHIN_MS;
  while (wanted !== undefined && connection() !== wanted && clock.monotonicMs() < untilMs) {
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve));
  }
}

async function sendOnce(record: HeldRecord, nowMs: number, context: DeliveryContext): Promise<Sent | undefined> {
  try {
    const message = await context.render(record, 1);
    if (message === undefined) return undefined;
    return await context.send({ ...message, keepsAnswer: true }, nowMs, () => context.maySend(record));
  } catch (error) {
    context.log.error(
      { event: 'delivery_internal_error', err: error, eventId: record.facts.eventId },
      'test event failed with an internal error',
    );
    return { outcome: { kind: 'internal', reason: messageOf(error) } };
  }
}
