import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
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

/** What the operations work with, connected by whoever calls them: the API, or a test. */
export interface ControlPlaneContext {
  /** For reading topics to their end. */
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  /** For copies of events. Subscriptions are written by {@link commit} alone. */
  readonly producer: PlacingProducer;
  /** Every customer's subscription, secrets sealed, with all that was acknowledged before the call. */
  readonly subscriptions: () => Promise<ReadonlyMap<string, Subscription>>;
  /** Every customer's status record, with all that was written before the call. */
  readonly workerStatuses: () => Promise<ReadonlyMap<string, WorkerStatus>>;
  readonly workers: () => readonly SeenWorker[];
  /** Attempts of the last 24 hours by customer and outcome. */
  readonly attemptCounts: (customers: readonly string[]) => Promise<ReadonlyMap<string, OutcomeCounts>>;
  /** The same by stretches of time. */
  readonly attemptSeries: AttemptRollups['series'];
  /** Of the events that were tried and are neither delivered nor given up, the one whose attempts began first. */
  readonly oldestWaiting: (customer: string) => WaitingEvent | undefined;
  /** Of topics that exist. */
  readonly watermarks: (topics: readonly string[]) => Promise<ReadonlyMap<string, readonly PartitionEnds[]>>;
  /** Operations by id, with all that was written before the call. */
  readonly operations: () => Promise<ReadonlyMap<string, Operation>>;
  /** Invitations by id, with all that was written before the call. */
  readonly invitations: () => Promise<ReadonlyMap<string, Invitation>>;
  /** Erased events: neither shown nor written anywhere again. */
  readonly erasures: Pick<ErasedTable, 'events' | 'refreshed'>;
  readonly commit: Commit;
  readonly desk: SealingDesk;
  /** The lanes that a customer's topics are made for. */
  readonly retryDelays: readonly string[];
  /** As the delivery workers have it. */
  readonly retryPlan: RetryPlan;
  /** Settings that the delivery workers must have alike, as they report theirs. */
  readonly sharedSettings: Readonly<Record<string, string>>;
  /** Configured event types: those that fan-out reads. */
  readonly eventTypes: readonly string[];
  /** Intake topic → the event type that is read from it. */
  readonly intakeTopics: ReadonlyMap<string, string>;
  /** Reads events as fan-out and delivery do. */
  readonly events: Pick<EventRenderer, 'render'>;
  /** Where events may be sent, as the delivery workers have it. */
  readonly egress: EgressPolicy;
  /** The AWS accounts of the delivery workers: no subscription may name a role there. */
  readonly ownAwsAccounts?: readonly string[];
  readonly log: Logger;
}
