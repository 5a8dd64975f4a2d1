import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { LaneReader } from '@databridge/kernel/kafka/lane-reader/lane-reader';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { CompactedTable, type Ownership } from '@databridge/kernel/kafka/tables/compacted-table';
import { ErasedTable } from '@databridge/kernel/kafka/tables/erased-table';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import type { Logger } from '@databridge/kernel/log';
import type { MetricsRegistry } from '@databridge/kernel/metrics';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { exportWaiting } from '@databridge/kernel/registry/metrics';
import { registrySettings } from '@databridge/kernel/registry/registry-settings';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { loadKeySet } from '@databridge/kernel/secrets/key-settings';
import { Opener } from '@databridge/kernel/secrets/opener';
import type { Running } from '@databridge/kernel/service';
import { statedSettings } from '@databridge/kernel/settings/shared-settings';
import { type Clock, systemClock } from '@databridge/kernel/time/clock';
import { startTracing, type Tracing } from '@databridge/kernel/tracing/tracing';
import { decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import {
  DELIVERY_WORKERS_GROUP,
  MAX_MESSAGE_BYTES,
  STATUS_TOPIC,
  SUBSCRIPTIONS_TOPIC,
} from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { DeliveryConfig } from '../config.ts';
import { CustomerSlots } from './customer-slots.ts';
import { CustomerTopics } from './customer-topics.ts';
import { Heartbeat } from './heartbeat.ts';
import { NamesakeWatch } from './namesake-watch.ts';
import { openSecrets } from './open-secrets.ts';
import { ReadAhead } from './read-ahead.ts';
import { type SharedByCustomers, sharedByCustomers } from './shared-by-customers.ts';
import { WorkerRequests } from './worker-requests.ts';

/** Added to the drain time-out of a worker that has not left, before its customers are taken over. */
const HANDOVER_GRACE_MS = 5_000;

/**
 * Starts a delivery worker. It owns the customers in its partitions of the subscriptions topic, and runs those that are
 * active. The consumer group `delivery-workers` assigns the partitions; a customer that moves to another worker is drained
 * here first.
 */
export async function startDelivery(
  config: DeliveryConfig,
  log: Logger,
  registry: MetricsRegistry,
  clock: Clock = systemClock,
): Promise<Running> {
  const tracing = await startTracing('delivery', config, log, config.WORKER_NAME);
  const worker = new Worker(config, log, registry, clock, tracing);
  await worker.start();
  return worker;
}

class Worker implements Running {
  readonly #tracing: Tracing | undefined;
  readonly #admin: KafkaAdmin;
  readonly #producer: KafkaProducer;
  readonly #readers: EventReaders;
  readonly #subscriptions: CompactedTable<Subscription>;
  readonly #statuses: CompactedTable<WorkerStatus>;
  readonly #erased: ErasedTable;
  readonly #lanes: LaneReader;
  readonly #ahead: ReadAhead;
  readonly #shared: SharedByCustomers;
  readonly #slots: CustomerSlots;
  readonly #heartbeat: Heartbeat;
  readonly #requests: WorkerRequests;
  #partitions: readonly number[] = [];
  /** False until erasures and the customers' states are known: nothing may be sent before. */
  #mayStartCustomers = false;
  #isCaughtUp = false;
  #isStopping = false;

  constructor(
    config: DeliveryConfig,
    log: Logger,
    registry: MetricsRegistry,
    clock: Clock,
    tracing: Tracing | undefined,
  ) {
    // Names of groups begin with it, and the access control lists of the guide grant names that begin with `delivery`.
    const kafka = { ...kafkaSettings(config, `delivery-${config.WORKER_NAME}`, log), registry };
    const opener = new Opener(loadKeySet(config));
    const unseal = (subscription: Subscription) => this.#ahead.open(subscription);
    this.#tracing = tracing;
    this.#admin = new KafkaAdmin(kafka);
    // A record that fits a delivery topic must fit the retry topics, too.
    this.#producer = new KafkaProducer(kafka, { maxBatchBytes: MAX_MESSAGE_BYTES });
    this.#readers = new EventReaders({ registry: new SchemaRegistry(registrySettings(config)), log });
    exportWaiting(this.#readers, registry);
    const delays = config.RETRY_PLAN.steps.map(({ delay }) => delay);
    const topics = new CustomerTopics(this.#admin, delays, clock);
    this.#ahead = new ReadAhead({
      ...{ clock, log },
      read: (onBatch) => readTopic(kafka, SUBSCRIPTIONS_TOPIC, { onBatch }),
      open: (subscription) => openSecrets(opener, subscription),
    });
    this.#subscriptions = new CompactedTable<Subscription>(kafka, {
      topic: SUBSCRIPTIONS_TOPIC,
      sessionTimeoutMs: config.SESSION_TIMEOUT,
      decode: (customer, value) => this.#ahead.decode(customer, value),
      onChange: (customer, subscription) => {
        // While the topic is read from its beginning, earlier versions appear: only the last one counts.
        if (!this.#isCaughtUp) return;
        if (subscription === undefined) this.#slots.release(customer);
        else this.#slots.want(customer, subscription);
      },
      onCaughtUp: () => this.#onCaughtUp(),
      group: { groupId: DELIVERY_WORKERS_GROUP, onOwned: (ownership) => this.#onOwnership(ownership) },
    });
    this.#statuses = new CompactedTable<WorkerStatus>(kafka, {
      topic: STATUS_TOPIC,
      decode: (_customer, value) => decodeStatus(value),
      onChange: (customer, status) => this.#slots.updateStatus(customer, status),
    });
    this.#erased = new ErasedTable(kafka);
    this.#lanes = new LaneReader(kafka, {
      lease: this.#subscriptions.lease,
      workersGroup: DELIVERY_WORKERS_GROUP,
      handoverWithinMs: config.DRAIN_TIMEOUT + HANDOVER_GRACE_MS,
    });
    this.#shared = sharedByCustomers(config, {
      ...{ log, registry, clock, tracing, topics, lanes: this.#lanes },
      ...{ producer: this.#producer, readers: this.#readers, erased: this.#erased },
      customers: () => this.#slots.running().length,
      customersWanted: () => this.#slots.wantedCount,
      onDisabled: (status) => this.#slots.updateStatus(status.customer, status),
    });
    const { dependencies, ownAccount } = this.#shared;
    this.#slots = new CustomerSlots({
      ...{ clock, log, dependencies, topics, lanes: this.#lanes, unseal },
      statusOf: (customer) => this.#statuses.get(customer),
      onChange: () => this.#heartbeat.writeSoon(),
    });
    this.#requests = new WorkerRequests({
      ...{ kafka, sealingKey: opener.current, dependencies, unseal },
      subscriptionOf: (customer) => this.#subscriptions.get(customer),
      partitions: () => this.#partitions,
    });
    const namesakes = new NamesakeWatch({
      ...{ worker: config.WORKER_NAME, clientId: kafka.clientId, groupId: DELIVERY_WORKERS_GROUP, admin: this.#admin },
      ...{ sessionTimeoutMs: config.SESSION_TIMEOUT, clock, log },
    });
    this.#heartbeat = new Heartbeat({
      ...{ worker: config.WORKER_NAME, producer: this.#producer, clock, log, intervalMs: config.REPORT_INTERVAL },
      onReported: () => namesakes.check(),
      running: () => ({
        partitions: [...this.#partitions],
        keyIds: opener.kids,
        settings: statedSettings(config),
        ...(ownAccount.known !== undefined && { awsAccount: ownAccount.known }),
        customers: this.#slots
          .running()
          .map(({ name }) => name)
          .sort(),
        failing: this.#slots.failing(),
      }),
    });
  }

  async start(): Promise<void> {
    // All of these wait for the broker most of the time: they wait together.
    this.#ahead.begin();
    const statusesKnown = this.#statuses.start().then(() => this.#statuses.caughtUp());
    const connected = [this.#producer.connect(), this.#admin.connect()];
    await Promise.all([...connected, this.#erased.start(), statusesKnown, this.#subscriptions.start()]);
    this.#mayStartCustomers = true;
    if (this.#subscriptions.isCaughtUp) this.#onCaughtUp();
    this.#heartbeat.start();
    this.#requests.start();
  }

  notReadyBecause(): string | undefined {
    return this.#isCaughtUp ? undefined : 'reading the subscriptions';
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#isCaughtUp = false;
    this.#ahead.end();
    await this.#requests.stop();
    await this.#slots.stop();
    await this.#lanes.stop();
    // This comes last: the group must not assign our customers to another worker while they still run here.
    await this.#subscriptions.stop();
    await Promise.all([this.#erased.stop(), this.#statuses.stop()]);
    await this.#heartbeat.stop();
    this.#readers.stop();
    this.#shared.breakerTimer.cancel();
    await Promise.all([this.#producer.disconnect(), this.#admin.disconnect()]);
    await this.#tracing?.stop();
  }

  #onOwnership({ gained, kept, lostKeys }: Ownership): void {
    this.#ahead.end();
    this.#partitions = [...gained, ...kept].sort((a, b) => a - b);
    this.#heartbeat.writeSoon();
    this.#isCaughtUp = false;
    this.#lanes.checkLease();
    for (const customer of lostKeys) this.#slots.release(customer);
  }

  #onCaughtUp(): void {
    if (this.#isStopping || !this.#mayStartCustomers) return;
    this.#isCaughtUp = true;
    this.#slots.wantOnly(new Map(this.#subscriptions.entries()));
  }
}
