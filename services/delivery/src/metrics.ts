import type { MetricsRegistry } from '@databridge/kernel/metrics';
import { seriesTable } from '@databridge/kernel/series-table';
import type { Clock } from '@databridge/kernel/time/clock';
import { ATTEMPT_OUTCOMES, type AttemptOutcome } from '@databridge/schemas/records/attempts';
import { Counter, Gauge, Histogram } from 'prom-client';
import { CustomerBook, type ShownCustomers } from './observe/customer-book.ts';
import { customerFamilies, totalFamilies } from './observe/customer-families.ts';
import { FAILURE_CLASSES, type failureClassOf } from './observe/failure-class.ts';

export type DeliveryMetrics = ReturnType<typeof deliveryMetrics>;

const OWN_FAULTS = ['produce', 'commit'] as const;
/**
 * The way of an event to its attempt; only events that came straight count for the service level objective of freshness.
 */
export const PATHS = ['straight', 'retried', 'held'] as const;
export type Path = (typeof PATHS)[number];

/** From a thousandth of the freshness objective (5 s) to the retry window (1 day). */
const DELAY_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 21_600, 86_400];

/** Values that are read when Prometheus scrapes. */
export interface Levels {
  bufferedBytes(): number;
  /** The number of customers that run. */
  customers(): number;
  /** The number of customers that should run. */
  customersWanted(): number;
  connections(): number;
}

export interface DeliveryMetricsOptions {
  readonly worker: string;
  readonly clock: Clock;
  /** The event types by name. */
  readonly eventTypes: readonly string[];
  /** Which customers have series of their own. */
  readonly shown: ShownCustomers;
  readonly bufferedBytesLimit: number;
  readonly connectionsLimit: number;
}

/**
 * The metrics of the delivery worker; docs/metrics.md describes them. Counters exist at 0 with all their known labels,
 * since `increase()` does not see a series that starts at 1. {@link CustomerBook} contains the counts of each customer.
 */
export function deliveryMetrics(registry: MetricsRegistry, levels: Levels, options: DeliveryMetricsOptions) {
  const registers = [registry];
  const { worker, clock, eventTypes, shown } = options;
  const book = new CustomerBook(clock, shown);
  registry.add(seriesTable(customerFamilies(worker), () => book.rows()));
  // After the rows, which the totals are made of.
  registry.add(seriesTable(totalFamilies, () => [['', book.totals]]));
  const gauge = (name: string, help: string, of: () => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(of());
      },
    });
  const attemptSeconds = new Histogram({
    name: 'databridge_delivery_attempt_duration_seconds',
    help: 'From the start of an attempt to its outcome',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  });
  const failures = new Counter({
    name: 'databridge_delivery_failures_total',
    help: 'Failed attempts by the class of failure, all customers together',
    labelNames: ['class'],
    registers,
  });
  const latency = new Histogram({
    name: 'databridge_delivery_latency_seconds',
    help: 'From the append to the intake to the acceptance by the destination',
    labelNames: ['event_type', 'path'],
    buckets: DELAY_BUCKETS,
    registers,
  });
  const firstAttemptDelay = new Histogram({
    name: 'databridge_delivery_first_attempt_delay_seconds',
    help: 'From the append to the intake to the first attempt',
    labelNames: ['event_type', 'path'],
    buckets: DELAY_BUCKETS,
    registers,
  });
  const ownFaults = new Counter({
    name: 'databridge_delivery_own_faults_total',
    help: 'Failed writes and commits to Kafka; the work waits and is tried again',
    labelNames: ['doing'],
    registers,
  });
  const outcomeTimes = new Map(
    ATTEMPT_OUTCOMES.map((outcome) => {
      attemptSeconds.zero({ outcome });
      return [outcome, attemptSeconds.labels(outcome)] as const;
    }),
  );
  for (const name of FAILURE_CLASSES) failures.inc({ class: name }, 0);
  for (const event_type of eventTypes) {
    for (const path of PATHS) latency.zero({ event_type, path });
    for (const path of ['straight', 'held']) firstAttemptDelay.zero({ event_type, path });
  }
  for (const doing of OWN_FAULTS) ownFaults.inc({ doing }, 0);
  const known = new Set(eventTypes);

  const gauges = {
    bufferedBytes: gauge(
      'databridge_delivery_held_bytes',
      'Bytes of the records in memory, all customers together',
      levels.bufferedBytes,
    ),
    bufferedBytesLimit: gauge(
      'databridge_delivery_held_bytes_limit',
      'The most bytes of records in memory, all customers together',
      () => options.bufferedBytesLimit,
    ),
    connections: gauge(
      'databridge_delivery_connections',
      'Connections to destinations, token servers and AWS that are open or dialed',
      levels.connections,
    ),
    connectionsLimit: gauge(
      'databridge_delivery_connections_limit',
      'The most connections that the worker opens',
      () => options.connectionsLimit,
    ),
    customers: gauge('databridge_delivery_customers', 'Customers that this worker runs', levels.customers),
    customersWanted: gauge(
      'databridge_delivery_customers_wanted',
      'Customers that this worker is to run',
      levels.customersWanted,
    ),
  };

  return {
    ...{ book, ownFaults, ...gauges },
    /** Counts an attempt. @param durationMs of the attempt */
    attempted(outcome: AttemptOutcome, durationMs: number): void {
      outcomeTimes.get(outcome)?.observe(durationMs / 1_000);
    },
    failed(failure: NonNullable<ReturnType<typeof failureClassOf>>): void {
      failures.inc({ class: failure });
    },
    /**
     * Measures the delay of an event's first attempt. Event types that are not configured are not measured: they come
     * from headers.
     */
    firstAttempt(eventType: string, path: 'straight' | 'held', delayMs: number): void {
      if (known.has(eventType))
        firstAttemptDelay.observe({ event_type: eventType, path }, Math.max(0, delayMs) / 1_000);
    },
    /** Measures the latency of an accepted event. */
    accepted(eventType: string, path: Path, latencyMs: number): void {
      if (known.has(eventType)) latency.observe({ event_type: eventType, path }, Math.max(0, latencyMs) / 1_000);
    },
    retryLateness: new Histogram({
      name: 'databridge_delivery_retry_lateness_seconds',
      help: 'From when a retry was due to its attempt, without those that the customer’s own limits held back',
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    forks: new Counter({
      name: 'databridge_delivery_forks_total',
      help: 'Records dropped because the same event and attempt was already buffered: what a crash writes twice',
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'databridge_delivery_commit_duration_seconds',
      help: 'From the first attempt that waits for the log to the commit of its offset',
      // A broker restart takes tens of seconds: with a last bucket of 5 s, it would look like 5 s.
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    }),
  };
}
