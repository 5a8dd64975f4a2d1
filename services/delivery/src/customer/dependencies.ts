import type { EventEmitter } from 'node:events';
import type { Clock } from '@databridge/kernel/clock';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import type { GroupConsumer, GroupConsumerOptions } from '@databridge/kernel/kafka/groups/group-consumer';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { EventMessages } from '../attempt/event-messages.ts';
import type { RetryPlan } from '../attempt/retry-plan.ts';
import type { Destination } from '../destination/destination.ts';
import type { BreakerSettings } from '../gate/breaker.ts';
import type { ByteBudget } from '../lanes/byte-budget.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { InFlight } from '../shares/in-flight.ts';
import type { Turns } from '../shares/turns.ts';

/** What a customer needs of its group's member. */
export type CustomerConsumer = Pick<GroupConsumer, 'start' | 'stop' | 'pause' | 'resume' | 'commit'>;

/** What all customers of a worker share. */
export interface CustomerDependencies {
  readonly worker: string;
  readonly openConsumer: (log: Logger, options: GroupConsumerOptions) => CustomerConsumer;
  readonly admin: Pick<KafkaAdmin, 'committedOffsets'>;
  readonly producer: RecordProducer;
  readonly messages: Pick<EventMessages, 'render'>;
  readonly budget: ByteBudget;
  readonly inFlight: InFlight;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly plan: RetryPlan;
  readonly breaker: BreakerSettings;
  readonly breakerRotation: EventEmitter;
  readonly sessionTimeoutMs: number;
  readonly commitIntervalMs: number;
  readonly statusIntervalMs: number;
  /** A longer `Retry-After` is cut to this. */
  readonly maxRetryAfterMs: number;
  /** @param ratePerSecond what the subscription states at the moment */
  readonly openDestination: (
    subscription: Subscription<Secret>,
    onRate: (perSecond: number) => void,
    ratePerSecond: () => number | undefined,
  ) => Destination;
  /** Of a stop: what is still in flight then is cut off, and sent again by the next owner. */
  readonly abortAfterMs: number;
  /** The customer is to be stopped: it was disabled here, and its status says so. */
  readonly onDisabled: (status: WorkerStatus) => void;
}
