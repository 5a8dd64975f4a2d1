import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { WatermarkReader } from '@databridge/kernel/kafka/watermark-reader';
import { type SharedSettings, statedSettings } from '@databridge/kernel/settings/shared-settings';
import { systemClock } from '@databridge/kernel/time/clock';
import { decodeInvitation, type Invitation } from '@databridge/schemas/records/invitations';
import { decodeOperation, type Operation } from '@databridge/schemas/records/operations';
import { decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import { INVITATIONS_TOPIC, OPERATIONS_TOPIC, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { within } from '../within.ts';
import { AttemptRollups } from './attempts/attempt-rollups.ts';
import type { AttemptView } from './attempts/attempt-view.ts';
import { type WaitingEvent, WaitingEvents } from './attempts/waiting-events.ts';
import { WorkerTable } from './worker-table.ts';

const READ_WITHIN_MS = 10_000;

/** The state of workers and customers, kept up to date so that no topic must be read for a request. */
export class LiveViews
  implements
    Pick<
      ControlPlaneContext,
      | 'workerStatuses'
      | 'workers'
      | 'attemptCounts'
      | 'attemptSeries'
      | 'lastDelivered'
      | 'oldestWaiting'
      | 'watermarks'
      | 'operations'
      | 'invitations'
    >
{
  readonly #statuses: CompactedTable<WorkerStatus>;
  readonly #operations: CompactedTable<Operation>;
  readonly #invitations: CompactedTable<Invitation>;
  readonly #workers: WorkerTable;
  readonly #rollups = new AttemptRollups();
  readonly #waiting: WaitingEvents;
  readonly #ends: WatermarkReader;
  readonly #endListening: () => void;

  /** @param shared the settings that workers must have in common */
  constructor(kafka: KafkaSettings, attempts: Pick<AttemptView, 'listen'>, shared: SharedSettings) {
    this.#waiting = new WaitingEvents(shared.RETRY_PLAN);
    this.#statuses = new CompactedTable(kafka, {
      topic: STATUS_TOPIC,
      maxWaitMs: 200,
      decode: (_customer, value) => decodeStatus(value),
    });
    this.#operations = new CompactedTable(kafka, {
      topic: OPERATIONS_TOPIC,
      maxWaitMs: 200,
      decode: (_id, value) => decodeOperation(value),
    });
    this.#invitations = new CompactedTable(kafka, {
      topic: INVITATIONS_TOPIC,
      maxWaitMs: 200,
      decode: (_id, value) => decodeInvitation(value),
    });
    this.#workers = new WorkerTable(kafka, statedSettings(shared));
    this.#ends = new WatermarkReader(kafka);
    this.#endListening = attempts.listen(({ customer, attempt }) => {
      this.#rollups.add(customer, attempt, systemClock.nowMs());
      this.#waiting.add(customer, attempt);
    });
  }

  async start(): Promise<void> {
    await Promise.all([
      this.#statuses.start(),
      this.#workers.start(),
      this.#operations.start(),
      this.#invitations.start(),
    ]);
    await Promise.all([this.#statuses.caughtUp(), this.#operations.caughtUp(), this.#invitations.caughtUp()]);
  }

  async stop(): Promise<void> {
    this.#endListening();
    this.#ends.disconnect();
    await Promise.all([this.#statuses.stop(), this.#workers.stop(), this.#operations.stop(), this.#invitations.stop()]);
  }

  /** Includes everything that was written before the call. @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  workerStatuses = async (): Promise<ReadonlyMap<string, WorkerStatus>> => {
    await within(READ_WITHIN_MS, this.#statuses.refreshed(), 'read the status records to their end');
    return new Map(this.#statuses.entries());
  };

  /** Includes everything that was written before the call. @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  operations = async (): Promise<ReadonlyMap<string, Operation>> => {
    await within(READ_WITHIN_MS, this.#operations.refreshed(), 'read the operations to their end');
    return new Map(this.#operations.entries());
  };

  /** Includes everything that was written before the call. @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  invitations = async (): Promise<ReadonlyMap<string, Invitation>> => {
    await within(READ_WITHIN_MS, this.#invitations.refreshed(), 'read the invitations to their end');
    return new Map(this.#invitations.entries());
  };

  workers = () => this.#workers.list();

  attemptCounts = async (customers: readonly string[]) => {
    const nowMs = systemClock.nowMs();
    return new Map(customers.map((customer) => [customer, this.#rollups.of(customer, nowMs)]));
  };

  attemptSeries: ControlPlaneContext['attemptSeries'] = (customer, range) => this.#rollups.series(customer, range);

  lastDelivered = (customer: string) => this.#rollups.lastDelivered(customer);

  oldestWaiting = (customer: string) => this.#waiting.oldest(customer);

  watermarks = (topics: readonly string[]) => this.#ends.of(topics);

  forgetErased(isErased: (event: WaitingEvent) => boolean): void {
    this.#waiting.forget(isErased);
  }

  /** @param customers all existing customers */
  forgetOthers(customers: ReadonlySet<string>): void {
    this.#rollups.keepOnly((customer) => customers.has(customer));
    this.#waiting.keepOnly((customer) => customers.has(customer));
  }
}
