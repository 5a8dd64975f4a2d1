/** What every run of the simulation has in common. */
import process from 'node:process';
import type { Message } from '@databridge/delivery/destination/destination';
import type { BufferedRecord } from '@databridge/delivery/lanes/buffered-records';
import type { FreshFirstLimits } from '@databridge/delivery/lanes/fresh-first';
import { deliveryMetrics } from '@databridge/delivery/metrics';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';
import { deadTopic, deliveryTopic, retryTopic } from '@databridge/schemas/records/topics';
import { parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { Random } from './random.ts';

const CUSTOMER = 'sim';
export const EPOCH_MS = Date.UTC(2026, 0, 1);
export const HOUR_MS = 3_600_000;
export const MAIN = deliveryTopic(CUSTOMER);
export const PLAN = parseRetryPlan('10s*1,1m*2', HOUR_MS) as RetryPlan;
export const DEAD = deadTopic(CUSTOMER);
export const LANES = [MAIN, retryTopic(CUSTOMER, '10s'), retryTopic(CUSTOMER, '1m')];
export const DELAYS_MS = new Map([
  [LANES[1], 10_000],
  [LANES[2], 60_000],
]);

export const log = createLogger('simulation', 'silent');
export const metrics = deliveryMetrics(
  createRegistry('simulation'),
  { bufferedBytes: () => 0, customers: () => 0, customersWanted: () => 0, connections: () => 0 },
  {
    worker: 'w',
    clock: systemClock,
    eventTypes: ['root-cause'],
    shown: 'all',
    bufferedBytesLimit: 1,
    connectionsLimit: 1,
  },
);

/** @throws Error with what is wrong with it */
export function subscribed(settings: object): Subscription<Secret> {
  const parsed = parseSubscription({
    ...{ customer: CUSTOMER, eventTypes: ['any'], match: 'everything' },
    destination: { type: 'http', url: 'https://destination.example' },
    ...settings,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  // There is no secret in it.
  return parsed.subscription as unknown as Subscription<Secret>;
}

const BODY = Buffer.from('x');

export function messageOf(record: BufferedRecord, attempt: number): Message {
  const { eventId, eventType } = record.facts;
  const message = { eventId, eventType, schemaVersion: 'v1.0', attempt, traceparent: undefined, body: BODY, record };
  return message;
}

/**
 * Lets everything run that waits for nothing but its turn. `nextTick` comes when no promise is left to go on, as
 * `setImmediate` does, but without a turn of the event loop: nothing here waits for one, since no slice of the
 * processor and no share of the requests is ever used up.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** Of a producer that needs none. */
export const CONNECTION = { connect: async () => undefined, disconnect: async () => undefined };

/** So small that a short log is long enough to be jumped over. */
export function limitsBy(random: Random): FreshFirstLimits {
  return {
    jumpAtRecords: random.below(6),
    maxGaps: random.pick([1, 3, 100]),
    freshForMs: random.pick([500, 60_000]),
  };
}
