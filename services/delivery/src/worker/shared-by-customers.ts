import { lookup } from 'node:dns';
import { EventEmitter } from 'node:events';
import { egressPolicy } from '@databridge/kernel/egress/egress-settings';
import type { LaneReader } from '@databridge/kernel/kafka/lane-reader/lane-reader';
import type { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import type { ErasedTable } from '@databridge/kernel/kafka/tables/erased-table';
import type { Logger } from '@databridge/kernel/log';
import type { MetricsRegistry } from '@databridge/kernel/metrics';
import type { EventReaders } from '@databridge/kernel/registry/event-readers';
import type { Clock, Timer } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import type { Tracing } from '@databridge/kernel/tracing/tracing';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import { AttemptTraces } from '../attempt/attempt-traces.ts';
import { EventMessages } from '../attempt/event-messages.ts';
import { OwnAccount } from '../authorization/own-account.ts';
import type { DeliveryConfig } from '../config.ts';
import { CommitPace } from '../customer/commit-pace.ts';
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
import type { CustomerTopics } from './customer-topics.ts';

export interface SharedParts {
  readonly log: Logger;
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  readonly tracing: Tracing | undefined;
  readonly lanes: LaneReader;
  readonly producer: KafkaProducer;
  readonly topics: CustomerTopics;
  readonly readers: EventReaders;
  readonly erased: ErasedTable;
  /** The number of customers that run here, and that should run here: for the metrics. */
  readonly customers: () => number;
  readonly customersWanted: () => number;
  readonly onDisabled: (status: WorkerStatus) => void;
}

/** Made once per worker, for all of its customers. */
export interface SharedByCustomers {
  readonly dependencies: CustomerDependencies;
  /** The AWS account of the worker's own credentials, once known. */
  readonly ownAccount: OwnAccount;
  /** Moves the breakers' windows; cancelled at the stop. */
  readonly breakerTimer: Timer;
}

const MIB = 1_048_576;
/** The part of the drain time-out after which requests in flight are aborted; the rest is for committing offsets. */
const ABORT_SHARE = 0.75;

/** Makes what the customers of a worker share: budgets, sockets, metrics and limits. */
export function sharedByCustomers(config: DeliveryConfig, parts: SharedParts): SharedByCustomers {
  const { log, registry, clock, tracing } = parts;
  const budget = new ByteBudget(config.HELD_RECORDS_MIB * MIB);
  const connections = new ConnectionBudget(config.MAX_CONNECTIONS, (err) =>
    log.error({ event: 'connection_callback_failed', err }, 'connection callback failed'),
  );
  const metrics = deliveryMetrics(
    registry,
    {
      bufferedBytes: () => budget.bufferedBytes,
      customers: parts.customers,
      customersWanted: parts.customersWanted,
      connections: () => connections.openCount,
    },
    {
      ...{ worker: config.WORKER_NAME, clock, shown: config.METRICS_CUSTOMERS },
      eventTypes: config.EVENT_TYPES.map(({ name }) => name),
      bufferedBytesLimit: config.HELD_RECORDS_MIB * MIB,
      connectionsLimit: config.MAX_CONNECTIONS,
    },
  );
  const breakerRotation = new EventEmitter().setMaxListeners(0);
  const breakerTimer = every(config.BREAKER_WINDOW / BREAKER_BUCKETS, () => breakerRotation.emit('rotate'));
  const turns = new Turns();
  const egress = egressOf(config, log, clock, connections, turns);
  const ownAccount = new OwnAccount();
  const destinations = {
    ownAccount,
    maxRetryAfterMs: config.RETRY_AFTER_CAP,
    webhookOrigin: config.WEBHOOK_ORIGIN,
  };
  const dependencies: CustomerDependencies = {
    worker: config.WORKER_NAME,
    openGroup: (options) => parts.lanes.open(options),
    ensureTopic: (customer, topic) => parts.topics.ensure(customer, topic),
    producer: parts.producer,
    messages: new EventMessages(config.EVENT_TYPES, parts.readers),
    isErased: (event) => parts.erased.events.has(event),
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
        onRate,
        ratePerSecond,
      ),
    abortAfterMs: config.DRAIN_TIMEOUT * ABORT_SHARE,
    onDisabled: parts.onDisabled,
  };
  return { dependencies, ownAccount, breakerTimer };
}

function egressOf(config: DeliveryConfig, log: Logger, clock: Clock, budget: ConnectionBudget, turns: Turns): Egress {
  const failedDials = new LogLimit(clock);
  const proxy = egressProxy(config);
  return new Egress({
    turns,
    guard: new EgressGuard(egressPolicy(config), lookup, ({ host, attempts }) => {
      if (failedDials.tryAcquire(host))
        log.warn({ event: 'destination_unreachable', host, attempts }, 'destination accepts no connections');
    }),
    budget,
    maxAgeMs: config.CONNECTION_MAX_AGE,
    allowHttp2: config.EGRESS_HTTP2,
    ...(proxy && { proxy }),
  });
}
