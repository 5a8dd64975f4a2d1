import { QUARANTINE_REASONS } from '@databridge/schemas/records/reasons';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type FanOutMetrics = ReturnType<typeof fanOutMetrics>;

const EVENT_OUTCOMES = ['matched', 'unmatched', 'quarantined'] as const;
const OWN_FAULTS = ['write', 'commit'] as const;

/**
 * The metrics of fan-out. Counters exist at 0 with all their known labels: `increase()` does not see a series that
 * starts at 1.
 * @param eventTypes by name
 * @param oldestUnroutedMs append time of the oldest record that is not routed; looked up when Prometheus scrapes
 */
export function fanOutMetrics(
  registry: Registry,
  eventTypes: readonly string[],
  oldestUnroutedMs: () => number | undefined = () => undefined,
) {
  const registers = [registry];
  /** Every intake record is counted once it is done, as exactly one of the outcomes; again if it is read again. */
  const events = new Counter({
    name: 'databridge_fan_out_events_total',
    help: 'Intake records by what became of them: matched, unmatched (nobody subscribed to them), quarantined',
    labelNames: ['event_type', 'outcome'],
    registers,
  });
  const quarantined = new Counter({
    name: 'databridge_fan_out_quarantined_total',
    help: 'Intake records in quarantine, by reason',
    labelNames: ['event_type', 'reason'],
    registers,
  });
  const copies = new Counter({
    name: 'databridge_fan_out_copies_total',
    help: 'Records written to delivery topics: one for each customer that an event matches',
    labelNames: ['event_type'],
    registers,
  });
  const filteredOut = new Counter({
    name: 'databridge_fan_out_filtered_total',
    help: 'Copies that were not made because the customer’s content filter excluded the event',
    labelNames: ['event_type'],
    registers,
  });
  const filterFailures = new Counter({
    name: 'databridge_fan_out_filter_failures_total',
    help: 'Events for which a customer’s content filter could not be evaluated; the customer got them',
    labelNames: ['event_type', 'customer'],
    registers,
  });
  const ownFaults = new Counter({
    name: 'databridge_fan_out_own_faults_total',
    help: 'Failed writes and commits to Kafka; the batch waits and is tried again',
    labelNames: ['doing'],
    registers,
  });
  const routingSeconds = new Histogram({
    name: 'databridge_fan_out_routing_seconds',
    help: 'From the append of an intake record to the acknowledgement of its copies',
    labelNames: ['event_type'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 86_400],
    registers,
  });
  new Gauge({
    name: 'databridge_fan_out_oldest_unrouted_timestamp_seconds',
    help: 'Append time of the oldest intake record of this instance that is not routed; absent while none waits',
    registers,
    collect() {
      const oldestMs = oldestUnroutedMs();
      if (oldestMs === undefined) this.remove();
      else this.set(oldestMs / 1_000);
    },
  });
  for (const event_type of eventTypes) {
    routingSeconds.zero({ event_type });
    for (const outcome of EVENT_OUTCOMES) events.inc({ event_type, outcome }, 0);
    for (const reason of QUARANTINE_REASONS) quarantined.inc({ event_type, reason }, 0);
    copies.inc({ event_type }, 0);
    filteredOut.inc({ event_type }, 0);
  }
  for (const doing of OWN_FAULTS) ownFaults.inc({ doing }, 0);

  const routed = new Map(eventTypes.map((event_type) => [event_type, routingSeconds.labels({ event_type })]));

  return {
    /** Counts a record that was routed and whose copies are acknowledged. */
    routed(eventType: string, latencyMs: number): void {
      routed.get(eventType)?.observe(Math.max(0, latencyMs) / 1_000);
    },
    events,
    quarantined,
    copies,
    filteredOut,
    filterFailures,
    lag: new Gauge({
      name: 'databridge_fan_out_lag_records',
      help: 'Records of an intake partition beyond the committed offset, asked of Kafka every 10 s',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    lagKnownAt: new Gauge({
      name: 'databridge_fan_out_lag_known_timestamp_seconds',
      help: 'When Kafka last answered the question for the lag, in seconds since the epoch',
      registers,
    }),
    inFlightBytes: new Gauge({
      name: 'databridge_fan_out_in_flight_bytes',
      help: 'Bytes of intake records that are fetched and not done',
      registers,
    }),
    subscriptions: new Gauge({
      name: 'databridge_fan_out_subscriptions',
      help: 'Subscriptions known',
      registers,
    }),
    unreadableSubscriptions: new Counter({
      name: 'databridge_fan_out_unreadable_subscriptions_total',
      help: 'Subscription records that could not be read; the previous version stays in force',
      registers,
    }),
    ownFaults,
    /** The customer's series exist exactly while it has a filter. */
    setFiltered(customer: string, hasFilter: boolean): void {
      for (const event_type of eventTypes) {
        if (hasFilter) filterFailures.inc({ event_type, customer }, 0);
        else filterFailures.remove({ event_type, customer });
      }
    },
  };
}
