import { Counter, Gauge, type Registry } from 'prom-client';

export type FanOutMetrics = ReturnType<typeof fanOutMetrics>;

export function fanOutMetrics(registry: Registry) {
  const registers = [registry];
  return {
    /** Every intake record is counted once it is done, as exactly one of the outcomes; again if it is read again. */
    events: new Counter({
      name: 'databridge_fan_out_events_total',
      help: 'Intake records by what became of them: matched, unmatched (nobody subscribed to them), quarantined',
      labelNames: ['event_type', 'outcome'],
      registers,
    }),
    quarantined: new Counter({
      name: 'databridge_fan_out_quarantined_total',
      help: 'Intake records in quarantine, by reason',
      labelNames: ['event_type', 'reason'],
      registers,
    }),
    copies: new Counter({
      name: 'databridge_fan_out_copies_total',
      help: 'Records written to delivery topics: one for each customer that an event matches',
      labelNames: ['event_type'],
      registers,
    }),
    filteredOut: new Counter({
      name: 'databridge_fan_out_filtered_total',
      help: 'Copies that were not made because the customer’s content filter said no',
      labelNames: ['event_type'],
      registers,
    }),
    filterFailures: new Counter({
      name: 'databridge_fan_out_filter_failures_total',
      help: 'Events for which a customer’s content filter could not be evaluated; the customer got them',
      labelNames: ['event_type', 'customer'],
      registers,
    }),
    lag: new Gauge({
      name: 'databridge_fan_out_lag_records',
      help: 'Records of an intake partition that are not fetched yet',
      labelNames: ['topic', 'partition'],
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
      help: 'Subscription records that could not be read; the customer keeps what stood before',
      registers,
    }),
    ownFaults: new Counter({
      name: 'databridge_fan_out_own_faults_total',
      help: 'Kafka could not be written to or committed to; the batch waits and is tried again',
      labelNames: ['doing'],
      registers,
    }),
  };
}
