import { lookup } from 'node:dns';
import { EventEmitter } from 'node:events';
import { egressPolicy } from '@databridge/kernel/egress/egress-settings';
import { messageOf } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { LaneReader } from '@databridge/kernel/kafka/lane-reader/lane-reader';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { CompactedTable, type Ownership } from '@databridge/kernel/kafka/tables/compacted-table';
import { ErasedTable } from '@databridge/kernel/kafka/tables/erased-table';
import type { Logger } from '@databridge/kernel/log';
import type { MetricsRegistry } from '@databridge/kernel/metrics';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { exportWaiting } from '@databridge/kernel/registry/metrics';
import { registrySettings } from '@databridge/kernel/registry/registry-settings';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { loadKeySet } from '@databridge/kernel/secrets/key-settings';
import { Opener } from '@databridge/kernel/secrets/opener';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Running } from '@databridge/kernel/service';
import { statedSettings } from '@databridge/kernel/settings/shared-settings';
import { type Clock, systemClock, type Timer } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import { startTracing, type Tracing } from '@databridge/kernel/tracing/tracing';
import { connectionOf, decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import {
  DELIVERY_WORKERS_GROUP,
  deliveryGroup,
  MAX_MESSAGE_BYTES,
  STATUS_TOPIC,
  SUBSCRIPTIONS_TOPIC,
} from '@databridge/schemas/records/topics';
import { withinCeilings } from '@databridge/schemas/rights/ceilings';
import { decodeSubscription, formatIssues, type Subscription } from '@databridge/schemas/subscription/subscription';
import pLimit from 'p-limit';
import { AttemptTraces } from '../attempt/attempt-traces.ts';
import { EventMessages } from '../attempt/event-messages.ts';
import { OwnAccount } from '../authorization/own-account.ts';
import type { DeliveryConfig } from '../config.ts';
import { CommitPace } from '../customer/commit-pace.ts';
import { Customer } from '../customer/customer.ts';
import type { CustomerDependencies } from '../customer/dependencies.ts';
import { openDestination } from '../destination/open-destination.ts';
import { ConnectionBudget } from '../egress/connection-budget.ts';
import { Egress } from '../egress/dispatcher.ts';
import { EgressGuard } from '../egress/egress-guard.ts';
import { egressProxy } from '../egress/egress-proxy.ts';
import { LogLimit } from '../egress/log-limit.ts';
import { BREAKER_BUCKETS } from '../gate/breaker.ts';
import { ByteBudget } from '../lanes/byte-budget.ts';
import { deliveryMetrics } from '../metrics.ts';
import { InFlight } from '../shares/in-flight.ts';
import { Turns } from '../shares/turns.ts';
import { CustomerSlot, type CustomerStart } from './customer-slot.ts';
import { CustomerTopics } from './customer-topics.ts';
import { Heartbeat } from './heartbeat.ts';
import { NamesakeWatch } from './namesake-watch.ts';
import { openSecrets } from './open-secrets.ts';
import { StartGarbage } from './start-garbage.ts';
import { WorkerRequests } from './worker-requests.ts';

/** The number of customers whose secrets are decrypted at the same time. */
const PREPARED_AT_ONCE = 64;
const MIB = 1_048_576;
/** The part of the drain time-out after which requests in flight are aborted; the rest is for committing offsets. */
const ABORT_SHARE = 0.75;
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
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #opener: Opener;
  readonly #tracing: Tracing | undefined;
  readonly #admin: KafkaAdmin;
  readonly #producer: KafkaProducer;
  readonly #readers: EventReaders;
  readonly #topics: CustomerTopics;
  readonly #subscriptions: CompactedTable<Subscription>;
  readonly #statuses: CompactedTable<WorkerStatus>;
  readonly #erased: ErasedTable;
  readonly #dependencies: CustomerDependencies;
  readonly #lanes: LaneReader;
  readonly #prepareLimit = pLimit(PREPARED_AT_ONCE);
  readonly #slots = new Map<string, CustomerSlot>();
  readonly #rotation: Timer;
  readonly #heartbeat: Heartbeat;
  readonly #requests: WorkerRequests;
  readonly #garbage: StartGarbage;
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
    const budget = new ByteBudget(config.HELD_RECORDS_MIB * MIB);
    const connections = new ConnectionBudget(config.MAX_CONNECTIONS, (err) =>
      log.error({ event: 'connection_callback_failed', err }, 'connection callback failed'),
    );
    const metrics = deliveryMetrics(
      registry,
      {
        heldBytes: () => budget.heldBytes,
        customers: () => this.#running().length,
        customersWanted: () => [...this.#slots.values()].filter(({ isWanted }) => isWanted).length,
        connections: () => connections.openCount,
      },
      {
        ...{ worker: config.WORKER_NAME, clock, shown: config.METRICS_CUSTOMERS },
        eventTypes: config.EVENT_TYPES.map(({ name }) => name),
        heldBytesLimit: config.HELD_RECORDS_MIB * MIB,
        connectionsLimit: config.MAX_CONNECTIONS,
      },
    );
    const breakerRotation = new EventEmitter().setMaxListeners(0);
    this.#log = log;
    this.#garbage = new StartGarbage(log, clock);
    this.#clock = clock;
    this.#opener = new Opener(loadKeySet(config));
    this.#tracing = tracing;
    this.#admin = new KafkaAdmin(kafka);
    // A record that fits a delivery topic must fit the retry topics, too.
    this.#producer = new KafkaProducer(kafka, { maxBatchBytes: MAX_MESSAGE_BYTES });
    this.#readers = new EventReaders({ registry: new SchemaRegistry(registrySettings(config)), log });
    exportWaiting(this.#readers, registry);
    this.#topics = new CustomerTopics(
      this.#admin,
      config.RETRY_PLAN.steps.map(({ delay }) => delay),
      clock,
    );
    this.#rotation = every(config.BREAKER_WINDOW / BREAKER_BUCKETS, () => breakerRotation.emit('rotate'));
    this.#subscriptions = new CompactedTable<Subscription>(kafka, {
      topic: SUBSCRIPTIONS_TOPIC,
      sessionTimeoutMs: config.SESSION_TIMEOUT,
      decode: (customer, value) => this.#decode(customer, value),
      onChange: (customer, subscription) => {
        // While the topic is read from its beginning, earlier versions appear: only the last one counts.
        if (!this.#isCaughtUp) return;
        if (subscription === undefined) this.#release(customer);
        else this.#slot(customer).want(subscription);
      },
      onCaughtUp: () => this.#onCaughtUp(),
      group: { groupId: DELIVERY_WORKERS_GROUP, onOwned: (ownership) => this.#onOwnership(ownership) },
    });
    this.#statuses = new CompactedTable<WorkerStatus>(kafka, {
      topic: STATUS_TOPIC,
      decode: (_customer, value) => decodeStatus(value),
      onChange: (customer, status) => this.#slots.get(customer)?.updateStatus(status),
    });
    this.#erased = new ErasedTable(kafka);
    this.#lanes = new LaneReader(kafka, {
      lease: this.#subscriptions.lease,
      workersGroup: DELIVERY_WORKERS_GROUP,
      handoverWithinMs: config.DRAIN_TIMEOUT + HANDOVER_GRACE_MS,
    });
    const failedDials = new LogLimit(clock);
    const turns = new Turns();
    const proxy = egressProxy(config);
    const egress = new Egress({
      turns,
      guard: new EgressGuard(egressPolicy(config), lookup, ({ host, attempts }) => {
        if (failedDials.tryAcquire(host))
          log.warn({ event: 'destination_unreachable', host, attempts }, 'destination accepts no connections');
      }),
      budget: connections,
      maxAgeMs: config.CONNECTION_MAX_AGE,
      allowHttp2: config.EGRESS_HTTP2,
      ...(proxy && { proxy }),
    });
    const ownAccount = new OwnAccount();
    const destinations = {
      ownAccount,
      maxRetryAfterMs: config.RETRY_AFTER_CAP,
      webhookOrigin: config.WEBHOOK_ORIGIN,
    };
    this.#dependencies = {
      worker: config.WORKER_NAME,
      openGroup: (options) => this.#lanes.open(options),
      ensureTopic: (customer, topic) => this.#topics.ensure(customer, topic),
      producer: this.#producer,
      messages: new EventMessages(config.EVENT_TYPES, this.#readers),
      isErased: (event) => this.#erased.events.has(event),
      budget,
      inFlight: new InFlight({ requests: config.MAX_CONNECTIONS, bytes: config.IN_FLIGHT_MIB * MIB }),
      turns,
      clock,
      log,
      metrics,
      ...(tracing && { traces: new AttemptTraces(tracing.tracer) }),
      plan: config.RETRY_PLAN,
      breaker: {
        resetAfterMs: config.BREAKER_RESET,
        minAttempts: config.BREAKER_MIN_ATTEMPTS,
        failurePercentage: config.BREAKER_FAILURE_PERCENTAGE,
        windowMs: config.BREAKER_WINDOW,
      },
      breakerRotation,
      commitPace: new CommitPace(config.COMMIT_INTERVAL, config.COMMIT_INTERVAL_MAX),
      statusIntervalMs: config.STATUS_INTERVAL,
      maxRetryAfterMs: config.RETRY_AFTER_CAP,
      openDestination: (subscription, onRate, ratePerSecond) =>
        openDestination(
          subscription,
          { ...destinations, egress: egress.forCustomer(subscription.customer) },
          ...([onRate, ratePerSecond] as const),
        ),
      abortAfterMs: config.DRAIN_TIMEOUT * ABORT_SHARE,
      onDisabled: (status) => this.#slots.get(status.customer)?.updateStatus(status),
    };
    this.#requests = new WorkerRequests({
      ...{ kafka, sealingKey: this.#opener.current, dependencies: this.#dependencies },
      unseal: (subscription) => this.#unseal(subscription),
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
        keyIds: this.#opener.kids,
        settings: statedSettings(config),
        ...(ownAccount.known !== undefined && { awsAccount: ownAccount.known }),
        customers: this.#running()
          .map(({ name }) => name)
          .sort(),
        failing: [...this.#slots].flatMap(([customer, { failure }]) =>
          failure === undefined ? [] : [{ customer, because: failure }],
        ),
      }),
    });
  }

  async start(): Promise<void> {
    // All of these wait for the broker most of the time: they wait together.
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
    await this.#requests.stop();
    for (const slot of this.#slots.values()) slot.want(undefined);
    await Promise.all([...this.#slots.values()].map((slot) => slot.settled()));
    await this.#lanes.stop();
    // This comes last: the group must not assign our customers to another worker while they still run here.
    await this.#subscriptions.stop();
    await Promise.all([this.#erased.stop(), this.#statuses.stop()]);
    await this.#heartbeat.stop();
    this.#readers.stop();
    this.#rotation.cancel();
    await Promise.all([this.#producer.disconnect(), this.#admin.disconnect()]);
    await this.#tracing?.stop();
  }

  #decode(customer: string, value: Buffer): Subscription | undefined {
    const parsed = decodeSubscription(customer, value);
    if (parsed.ok) return withinCeilings(parsed.subscription);
    this.#log.error(
      { event: 'subscription_invalid', customer, issues: formatIssues(parsed.issues) },
      'subscription not valid',
    );
    return undefined;
  }

  #onOwnership({ gained, kept, lostKeys }: Ownership): void {
    this.#partitions = [...gained, ...kept].sort((a, b) => a - b);
    this.#heartbeat.writeSoon();
    this.#isCaughtUp = false;
    this.#lanes.checkLease();
    for (const customer of lostKeys) this.#release(customer);
  }

  #onCaughtUp(): void {
    if (this.#isStopping || !this.#mayStartCustomers) return;
    this.#isCaughtUp = true;
    const owned = new Map(this.#subscriptions.entries());
    for (const [customer, subscription] of owned) this.#slot(customer).want(subscription);
    for (const customer of this.#slots.keys()) if (!owned.has(customer)) this.#release(customer);
    this.#log.info({ customers: owned.size }, 'worker caught up; its customers are started');
    for (const customer of owned.keys()) if (this.#slot(customer).isIdle) void this.#evictDead(customer);
  }

  /** Evicts a dead worker's member from the group of a customer that does not run: that group must be empty. */
  async #evictDead(customer: string): Promise<void> {
    try {
      const isEvicted = await this.#prepareLimit(() => this.#lanes.evictDead(deliveryGroup(customer)));
      if (isEvicted) this.#log.info({ customer }, 'dead member evicted');
    } catch (error) {
      this.#log.warn(
        { event: 'dead_member_kept', err: error, customer },
        `dead member not evicted; its session ends by itself: ${messageOf(error)}`,
      );
    }
  }

  /** Releases a customer that was deleted or belongs to another worker, with its series once it has stopped. */
  #release(customer: string): void {
    const slot = this.#slots.get(customer);
    if (slot === undefined) return;
    slot.want(undefined);
    void slot.settled().then(() => {
      // The customer may have come back in the meantime.
      if (!slot.isUnused || this.#slots.get(customer) !== slot) return;
      this.#slots.delete(customer);
      this.#dependencies.metrics.book.drop(customer);
    });
  }

  #slot(customer: string): CustomerSlot {
    const known = this.#slots.get(customer);
    if (known) return known;
    const slot = new CustomerSlot({
      clock: this.#clock,
      log: this.#log.child({ customer }),
      start: (subscription, status, start) => this.#start(subscription, status, start),
      update: async (running, subscription) =>
        running.update(await this.#unseal(subscription), connectionOf(subscription)),
      onChange: () => this.#heartbeat.writeSoon(),
    });
    slot.updateStatus(this.#statuses.get(customer));
    this.#slots.set(customer, slot);
    return slot;
  }

  async #start(
    subscription: Subscription,
    status: WorkerStatus | undefined,
    { signal, wasStopped }: CustomerStart,
  ): Promise<Customer> {
    let isStarted = false;
    this.#garbage.noteBegin();
    try {
      const [unsealed, topics] = await this.#prepareLimit(() =>
        Promise.all([this.#unseal(subscription), this.#topics.existing(subscription.customer)]),
      );
      signal.throwIfAborted();
      const customer = new Customer(unsealed, connectionOf(subscription), status, topics, this.#dependencies);
      if (wasStopped) customer.noteResumed();
      try {
        await customer.start(signal);
      } catch (error) {
        await customer.stop();
        throw error;
      }
      isStarted = true;
      return customer;
    } finally {
      this.#garbage.noteEnd(isStarted);
    }
  }

  #unseal(subscription: Subscription): Promise<Subscription<Secret>> {
    return openSecrets(this.#opener, subscription);
  }

  #running(): Customer[] {
    return [...this.#slots.values()].flatMap((slot) => slot.running ?? []);
  }
}
