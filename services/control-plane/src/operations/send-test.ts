import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import { describedEventType } from '@databridge/schemas/event/event-types';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { effectiveState } from '@databridge/schemas/records/status';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import type { AttemptView } from '../views/attempt-view.ts';
import { readCustomer } from '../views/customer.ts';

export interface TestSent {
  readonly customer: string;
  readonly eventId: string;
  readonly eventType: string;
  /** What came of it, the beginning of the destination's answer with it. */
  readonly attempt: Attempt;
}

/** Above what the request itself may take: until a worker fetches it, and the attempt log tells. */
const GRACE_MS = 10_000;

/**
 * Has the customer's worker send a sample event, once, and tells what the destination answered.
 * @param eventType left out: the first that the customer gets
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_CONFLICT if it is paused or disabled, since nothing runs it then;
 *   DB_INPUT_INVALID for an event type that it does not get; DB_TEST_UNANSWERED
 */
export async function sendTest(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'producer'>,
  attempts: Pick<AttemptView, 'listen'>,
  customer: string,
  eventType: string | undefined,
): Promise<TestSent> {
  const { subscription, worker } = await readCustomer(context, customer);
  const state = effectiveState(subscription, worker);
  if (state !== 'active') {
    const cure = state === 'paused' ? 'resume it' : 'enable it';
    throw new DatabridgeError('DB_CONFLICT', `Customer "${customer}" is ${state}, so no worker runs it: ${cure} first`);
  }
  const name = eventType ?? subscription.eventTypes[0] ?? '';
  const type = subscription.eventTypes.includes(name) ? describedEventType(name) : undefined;
  if (type === undefined) {
    const known = subscription.eventTypes.join(', ');
    throw new DatabridgeError('DB_INPUT_INVALID', `Customer "${customer}" does not get "${name}", but ${known}`);
  }

  const eventId = `test-${randomUUID()}`;
  const withinMs = subscription.destination.timeoutMs + GRACE_MS;
  const { promise: answered, resolve } = Promise.withResolvers<Attempt | undefined>();
  const end = attempts.listen((seen) => {
    if (seen.customer === customer && seen.attempt.eventId === eventId) resolve(seen.attempt);
  });
  const timeout = setTimeout(() => resolve(undefined), withinMs);
  try {
    const headers = writeDeliveryHeaders({
      ...{ eventId, eventType: name, attempt: 0 },
      // What is no event of the customer's own is left out of its books, as replays are.
      ...{ replayId: eventId, testWithinMs: withinMs },
    });
    const value = type.sample(subscription.sections);
    await context.producer.send([{ topic: deliveryTopic(customer), key: eventId, value, headers }]);
    const attempt = await answered;
    if (attempt !== undefined) return { customer, eventId, eventType: name, attempt };
    throw new DatabridgeError(
      'DB_TEST_UNANSWERED',
      `No worker told within ${withinMs / 1_000} s what came of the test: see whether one runs, and whether a backlog is before it`,
    );
  } finally {
    clearTimeout(timeout);
    end();
  }
}
