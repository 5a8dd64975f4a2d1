import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { describedEventType, type EventType } from '@databridge/schemas/event/event-types';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { connectionOf, effectiveState } from '@databridge/schemas/records/status';
import type { TestVariation } from '@databridge/schemas/records/test-variation';
import { deliveryTopic, WORKER_REQUESTS_TOPIC } from '@databridge/schemas/records/topics';
import { WORKER_REQUEST_HEADER } from '@databridge/schemas/requests/worker-requests';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { AttemptView } from '../views/attempts/attempt-view.ts';
import { readCustomer } from '../views/customer.ts';

export interface TestSent {
  readonly customer: string;
  readonly eventId: string;
  readonly eventType: string;
  /** The result, with the beginning of the destination's answer. */
  readonly attempt: Attempt;
}

/** In addition to the time of the request itself: until a worker fetches it, and the attempt log has the result. */
const GRACE_MS = 10_000;

/**
 * Makes the customer's worker send a sample event once, and returns the destination's answer.
 * @param eventType if omitted, the first that the customer gets
 * @throws {DatabridgeError} as {@link testableCustomer} and {@link TestSender.send}
 */
export async function sendTest(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'producer'>,
  attempts: Pick<AttemptView, 'listen'>,
  customer: string,
  eventType: string | undefined,
): Promise<TestSent> {
  const { subscription, type, isRunning } = await testableCustomer(context, customer, eventType);
  const sender = new TestSender(context, attempts, subscription, type, isRunning);
  const eventId = sender.newId();
  return { customer, eventId, eventType: type.name, attempt: await sender.send(eventId) };
}

/**
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_INPUT_INVALID for an event type that it does not get
 */
export async function testableCustomer(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions'>,
  customer: string,
  eventType: string | undefined,
): Promise<{ subscription: Subscription; type: EventType; isRunning: boolean }> {
  const { subscription, worker } = await readCustomer(context, customer);
  const isRunning = effectiveState(subscription, worker) === 'active';
  const name = eventType ?? subscription.eventTypes[0] ?? '';
  const type = subscription.eventTypes.includes(name) ? describedEventType(name) : undefined;
  if (type !== undefined) return { subscription, type, isRunning };
  const known = subscription.eventTypes.join(', ');
  throw new DatabridgeError('DB_INPUT_INVALID', `Customer "${customer}" does not get "${name}", but ${known}`);
}

export interface TestContent {
  /** The document. If omitted, a sample. */
  readonly value?: string;
  /** The deviation of the request from that of an event. */
  readonly variation?: TestVariation | undefined;
}

/** Sends test events of one customer and waits for the result of each. */
export class TestSender {
  readonly #context: Pick<ControlPlaneContext, 'producer'>;
  readonly #attempts: Pick<AttemptView, 'listen'>;
  readonly #subscription: Subscription;
  readonly #type: EventType;
  readonly #isRunning: boolean;

  /**
   * @param isRunning if false, the worker of a paused or disabled customer gets the request by a separate topic: nobody
   *   reads the customer's own
   */
  constructor(
    context: Pick<ControlPlaneContext, 'producer'>,
    attempts: Pick<AttemptView, 'listen'>,
    subscription: Subscription,
    type: EventType,
    isRunning = true,
  ) {
    this.#context = context;
    this.#attempts = attempts;
    this.#subscription = subscription;
    this.#type = type;
    this.#isRunning = isRunning;
  }

  newId(): string {
    return `test-${randomUUID()}`;
  }

  /** One event per id at a time: results are matched by it. @throws {DatabridgeError} DB_TEST_UNANSWERED */
  async send(eventId: string, { value, variation }: TestContent = {}): Promise<Attempt> {
    const { customer, destination, sections } = this.#subscription;
    const withinMs = destination.timeoutMs + GRACE_MS;
    const { promise: answered, resolve } = Promise.withResolvers<Attempt | undefined>();
    const end = this.#attempts.listen((seen) => {
      if (seen.customer === customer && seen.attempt.eventId === eventId) resolve(seen.attempt);
    });
    const timeout = systemClock.after(withinMs, () => resolve(undefined));
    try {
      const headers = writeDeliveryHeaders({
        ...{ eventId, eventType: this.#type.name, attempt: 0 },
        // Events that are not the customer's own are not in its books, as replays are not.
        ...{ replayId: eventId, testWithinMs: withinMs, testConnection: connectionOf(this.#subscription) },
        ...(variation !== undefined && { testVariation: variation }),
      });
      const document = value ?? this.#type.sample(sections);
      await this.#context.producer.send([
        this.#isRunning
          ? { topic: deliveryTopic(customer), key: eventId, value: document, headers }
          : {
              ...{ topic: WORKER_REQUESTS_TOPIC, key: customer, value: document },
              headers: { ...headers, [WORKER_REQUEST_HEADER]: 'test' },
            },
      ]);
      const attempt = await answered;
      if (attempt !== undefined) return attempt;
      throw new DatabridgeError(
        'DB_TEST_UNANSWERED',
        `No worker told within ${withinMs / 1_000} s what came of the test: see whether one runs, and whether a backlog is before it`,
      );
    } finally {
      timeout.cancel();
      end();
    }
  }
}
