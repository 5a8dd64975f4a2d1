import type { EventEmitter } from 'node:events';
import type { LaneGroupOptions } from '@databridge/kernel/kafka/lane-reader/group-options';
import type { LaneGroup } from '@databridge/kernel/kafka/lane-reader/lane-group';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Clock } from '@databridge/kernel/time/clock';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { AttemptTraces } from '../attempt/attempt-traces.ts';
import type { EventMessages } from '../attempt/event-messages.ts';
import type { Destination } from '../destination/destination.ts';
import type { BreakerSettings } from '../gate/breaker.ts';
import type { ByteBudget } from '../lanes/byte-budget.ts';
import type { FreshFirstLimits } from '../lanes/fresh-first.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { InFlight } from '../shares/in-flight.ts';
import type { Turns } from '../shares/turns.ts';
import type { CommitPace } from './commit-pace.ts';

/** What a customer needs of its group. */
export type CustomerGroup = Pick<LaneGroup, 'start' | 'stop' | 'pause' | 'resume' | 'seek' | 'commit' | 'addTopics'>;

/** What all customers of a worker share. */
export interface CustomerDependencies {
  readonly worker: string;
  readonly openGroup: (options: LaneGroupOptions) => CustomerGroup;
  /** Makes a retry or dead-letter topic that does not exist yet. */
  readonly ensureTopic: (customer: string, topic: string) => Promise<void>;
  readonly producer: RecordProducer;
  readonly messages: Pick<EventMessages, 'render'>;
  /** Left out: nothing was ever erased. */
  readonly isErased?: (event: { readonly eventId: string; readonly source?: string }) => boolean;
  readonly budget: ByteBudget;
  readonly inFlight: InFlight;
  readonly turns: Turns;
  readonly clock: Clock;
  /** From 0 to 1: the jitter of retries. Left out: `Math.random`. */
  readonly random?: () => number;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Left out: nothing is traced. */
  readonly traces?: Pick<AttemptTraces, 'begin'>;
  readonly plan: RetryPlan;
  readonly breaker: BreakerSettings;
  readonly breakerRotation: EventEmitter;
  readonly commitPace: CommitPace;
  /** When a lane reads ahead of its backlog, where fresh events go first. Left out: the defaults. */
  readonly freshFirstLimits?: FreshFirstLimits;
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
