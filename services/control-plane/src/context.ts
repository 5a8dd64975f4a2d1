import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { PlacingProducer } from '@databridge/kernel/kafka/records';
import type { ErasedTable } from '@databridge/kernel/kafka/tables/erased-table';
import type { PartitionEnds } from '@databridge/kernel/kafka/watermark-reader';
import type { Logger } from '@databridge/kernel/log';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import type { Invitation } from '@databridge/schemas/records/invitations';
import type { Operation } from '@databridge/schemas/records/operations';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { Commit } from './subscriptions/changes.ts';
import type { AttemptRollups, OutcomeCounts } from './views/attempts/attempt-rollups.ts';
import type { WaitingEvent } from './views/attempts/waiting-events.ts';
import type { EventRenderer } from './views/render-event.ts';
import type { SeenWorker } from './views/worker-table.ts';

/** The context of the operations. The caller, which is the API or a test, connects its parts. */
export interface ControlPlaneContext {
  /** Reads topics to their end. */
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  /** Writes copies of events. Only {@link commit} writes subscriptions. */
  readonly producer: PlacingProducer;
  /**
   * The subscriptions of all customers, with sealed secrets, including every change that was acknowledged before the
   * call.
   */
  readonly subscriptions: () => Promise<ReadonlyMap<string, Subscription>>;
  /** The status records of all customers, including everything that was written before the call. */
  readonly workerStatuses: () => Promise<ReadonlyMap<string, WorkerStatus>>;
  readonly workers: () => readonly SeenWorker[];
  /** The attempts of the last 24 hours by customer and outcome. */
  readonly attemptCounts: (customers: readonly string[]) => Promise<ReadonlyMap<string, OutcomeCounts>>;
  /** The same by periods of time. */
  readonly attemptSeries: AttemptRollups['series'];
  /** When a delivery to the customer last began; undefined: there was none in 24 hours. */
  readonly lastDelivered: AttemptRollups['lastDelivered'];
  /** The event whose attempts began first, of those that were tried and are neither delivered nor given up. */
  readonly oldestWaiting: (customer: string) => WaitingEvent | undefined;
  /** The watermarks of existing topics. */
  readonly watermarks: (topics: readonly string[]) => Promise<ReadonlyMap<string, readonly PartitionEnds[]>>;
  /** Operations by id, including everything that was written before the call. */
  readonly operations: () => Promise<ReadonlyMap<string, Operation>>;
  /** Invitations by id, including everything that was written before the call. */
  readonly invitations: () => Promise<ReadonlyMap<string, Invitation>>;
  /** Erased events, which are neither shown nor written anywhere again. */
  readonly erasures: Pick<ErasedTable, 'events' | 'refreshed'>;
  readonly commit: Commit;
  readonly desk: SealingDesk;
  /** The lanes of the retry plan, for which a customer's topics are created. */
  readonly retryDelays: readonly string[];
  /** The same value as the delivery workers have. */
  readonly retryPlan: RetryPlan;
  /** Settings that the delivery workers must have in common, in the form of their reports. */
  readonly sharedSettings: Readonly<Record<string, string>>;
  /** Configured event types: those that fan-out reads. */
  readonly eventTypes: readonly string[];
  /** Intake topic → its event type. */
  readonly intakeTopics: ReadonlyMap<string, string>;
  /** Reads events as fan-out and delivery do. */
  readonly events: Pick<EventRenderer, 'render'>;
  /** The policy of addresses that events may be sent to, as the delivery workers have it. */
  readonly egress: EgressPolicy;
  /** The AWS accounts of the delivery workers: no subscription may name a role in them. */
  readonly ownAwsAccounts?: readonly string[];
  readonly log: Logger;
}
