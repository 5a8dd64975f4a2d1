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

/** The interface of a customer's group, as the customer uses it. */
export type CustomerGroup = Pick<LaneGroup, 'start' | 'stop' | 'pause' | 'resume' | 'seek' | 'commit' | 'addTopics'>;

/** All customers of a worker share these. */
export interface CustomerDependencies {
  readonly worker: string;
  readonly openGroup: (options: LaneGroupOptions) => CustomerGroup;
  /** Creates a retry or dead-letter topic that does not exist yet. */
  readonly ensureTopic: (customer: string, topic: string) => Promise<void>;
  readonly producer: RecordProducer;
  readonly messages: Pick<EventMessages, 'render'>;
  /** If omitted, nothing was ever erased. */
  readonly isErased?: (event: { readonly eventId: string; readonly source?: string }) => boolean;
  readonly budget: ByteBudget;
  readonly inFlight: InFlight;
  readonly turns: Turns;
  readonly clock: Clock;
  /** A random number from 0 to 1: the jitter of retries. The default is `Math.random`. */
  readonly random?: () => number;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** If omitted, nothing is traced. */
  readonly traces?: Pick<AttemptTraces, 'begin'>;
  readonly plan: RetryPlan;
  readonly breaker: BreakerSettings;
  readonly breakerRotation: EventEmitter;
  readonly commitPace: CommitPace;
  /** When a lane reads ahead of its backlog, where fresh events are sent first. If omitted, the defaults apply. */
  readonly freshFirstLimits?: FreshFirstLimits;
  readonly statusIntervalMs: number;
  /** A longer `Retry-After` is cut to this many ms. */
  readonly maxRetryAfterMs: number;
  /** @param ratePerSecond the rate that the subscription states at present */
  readonly openDestination: (
    subscription: Subscription<Secret>,
    onRate: (perSecond: number) => void,
    ratePerSecond: () => number | undefined,
  ) => Destination;
  /** The time limit of a stop: requests still in flight then are cut off, and the next owner sends them again. */
  readonly abortAfterMs: number;
  /** Called when the customer must be stopped: it was disabled here, and its status record says so. */
  readonly onDisabled: (status: WorkerStatus) => void;
}
