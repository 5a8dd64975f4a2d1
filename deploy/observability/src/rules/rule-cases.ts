/** The series that make each alert fire: their values while all is well, and while it is not. */

/** A series of samples every 30 s; `_` leaves the sample out. */
export interface CaseSeries {
  readonly series: string;
  readonly well: number | '_' | Counted | Clocked;
  readonly bad: number | '_' | Counted | Clocked;
}

/** A counter that grows by this amount with each sample. */
export interface Counted {
  readonly perSample: number;
}

/** A timestamp this many seconds after the time of the sample; negative: before it. */
export interface Clocked {
  readonly fromNow: number;
}

export interface RuleCase {
  readonly series: readonly CaseSeries[];
  /** Duration of the bad values; left out: 30 min. */
  readonly badMinutes?: number;
  /** The alert must fire within this time; left out: within 10 min. */
  readonly firesWithinMinutes?: number;
  /** The alert must be resolved this soon after the bad values; left out: within 30 min. */
  readonly resolvesWithinMinutes?: number;
}

const perSample = (count: number): Counted => ({ perSample: count });
const ago = (seconds: number): Clocked => ({ fromNow: -seconds });
const ahead = (seconds: number): Clocked => ({ fromNow: seconds });
const one = (name: string, labels: string, well: CaseSeries['well'], bad: CaseSeries['bad']): CaseSeries => ({
  series: `${name}{namespace="n"${labels && `,${labels}`}}`,
  well,
  bad,
});

const ACME = 'customer="acme",component="delivery"';
const INSTALLED = one('databridge_build_info', 'component="delivery",version="1"', 1, 1);

/** A histogram's buckets; half of the events are good while it is bad. */
function slo(name: string, labels: string, le: string): RuleCase['series'] {
  const comma = labels && `,${labels}`;
  return [
    one(`${name}_bucket`, `le="${le}"${comma}`, perSample(100), perSample(50)),
    one(`${name}_count`, labels, perSample(100), perSample(100)),
  ];
}

const burns = (title: string, series: RuleCase['series']): Record<string, RuleCase> => ({
  [`${title}Burn`]: { series, badMinutes: 90, firesWithinMinutes: 30, resolvesWithinMinutes: 20 },
  [`${title}BurnSlow`]: { series, badMinutes: 90, firesWithinMinutes: 40, resolvesWithinMinutes: 60 },
  [`${title}BurnLong`]: { series, badMinutes: 90, firesWithinMinutes: 60, resolvesWithinMinutes: 400 },
});

const heldCase = (because: string): RuleCase => ({
  series: [one('databridge_delivery_held', `${ACME},because="${because}"`, 0, 1)],
});

export const RULE_CASES: Readonly<Record<string, RuleCase>> = {
  EventsMayBeLost: {
    series: [one('databridge_kafka_offset_jumps_total', 'component="fan-out"', perSample(0), perSample(1))],
    resolvesWithinMinutes: 35,
  },
  DeadLettersWillBeDeleted: {
    series: [one('databridge_retention_expiring_dead_letters', 'customer="acme"', '_', 7)],
  },
  QuarantineWillBeDeleted: {
    series: [one('databridge_retention_expiring_quarantine_records', '', 0, 7)],
  },
  RetentionWillDelete: { series: [one('databridge_retention_expiring_records', 'customer="acme"', '_', 7)] },
  FanOutAbsent: { series: [INSTALLED, one('databridge_ready', 'component="fan-out",reason="ready"', 1, '_')] },
  FanOutStuck: {
    series: [
      one('databridge_fan_out_oldest_unrouted_timestamp_seconds', 'component="fan-out"', ago(1), ago(600)),
      one('databridge_fan_out_events_total', 'event_type="root-cause",outcome="matched"', perSample(30), perSample(0)),
    ],
  },
  FanOutSlow: {
    series: [one('databridge_fan_out_oldest_unrouted_timestamp_seconds', 'component="fan-out"', ago(1), ago(900))],
  },
  QuarantineRises: {
    series: [
      one(
        'databridge_fan_out_quarantined_total',
        'event_type="root-cause",reason="malformed-data"',
        perSample(0),
        perSample(3),
      ),
    ],
  },
  RegistryUnreachable: { series: [one('databridge_registry_waiting', 'component="fan-out"', 0, 2)] },
  NobodyDelivers: {
    series: [
      one('databridge_customers', 'state="active"', 5, 5),
      one('databridge_delivery_customers', 'component="delivery"', 5, '_'),
    ],
  },
  CustomerNotRunning: { series: [one('databridge_unattended_waiting_records', 'customer="acme"', '_', 0)] },
  ManyCustomersFailing: {
    series: [
      one('databridge_delivery_troubled_customers', 'because="failing"', 1, 6),
      one('databridge_delivery_customers', '', 10, 10),
    ],
  },
  RetriesLate: {
    series: [
      one('databridge_delivery_retry_lateness_seconds_bucket', 'le="10"', perSample(50), perSample(10)),
      one('databridge_delivery_retry_lateness_seconds_bucket', 'le="60"', perSample(50), perSample(50)),
      one('databridge_delivery_retry_lateness_seconds_bucket', 'le="+Inf"', perSample(50), perSample(50)),
      one('databridge_delivery_retry_lateness_seconds_count', '', perSample(50), perSample(50)),
    ],
    firesWithinMinutes: 12,
  },
  ConnectionsExhausted: {
    series: [
      one('databridge_delivery_connections', 'pod="w1"', 10, 99),
      one('databridge_delivery_connections_limit', 'pod="w1"', 100, 100),
    ],
  },
  InternalFaults: {
    series: [
      one('databridge_delivery_internal_dead_letters_total', 'component="delivery"', perSample(0), perSample(1)),
    ],
    resolvesWithinMinutes: 35,
  },
  KafkaWritesFail: {
    series: [
      one('databridge_delivery_own_faults_total', 'doing="commit"', perSample(0), perSample(4)),
      one('databridge_fan_out_own_faults_total', 'doing="write"', perSample(0), perSample(0)),
    ],
  },
  CommitSlow: {
    series: [
      one('databridge_delivery_commit_duration_seconds_bucket', 'le="30"', perSample(50), perSample(10)),
      one('databridge_delivery_commit_duration_seconds_bucket', 'le="60"', perSample(50), perSample(50)),
      one('databridge_delivery_commit_duration_seconds_bucket', 'le="+Inf"', perSample(50), perSample(50)),
    ],
    firesWithinMinutes: 12,
  },
  RebalanceStorm: {
    series: [one('databridge_kafka_rebalances_total', 'group="delivery-workers"', perSample(0), perSample(2))],
    firesWithinMinutes: 15,
  },
  NoWriter: { series: [INSTALLED, one('databridge_control_plane_is_writer', '', 1, 0)] },
  StateNotExported: { series: [one('databridge_export_timestamp_seconds', '', ago(10), ago(900))] },
  ServiceNotReady: {
    series: [
      one('databridge_ready', 'component="fan-out",reason="ready"', 1, '_'),
      one('databridge_ready', 'component="fan-out",reason="Kafka refuses to write"', '_', 0),
    ],
  },
  EventLoopBlocked: { series: [one('nodejs_eventloop_lag_p99_seconds', 'component="delivery"', 0.02, 0.9)] },
  InvitationLocked: { series: [one('databridge_invitations_locked', '', 0, 1)] },
  VersionSkew: {
    series: [
      one('databridge_build_info', 'component="delivery",version="1"', 1, 1),
      one('databridge_build_info', 'component="fan-out",version="2"', '_', 1),
    ],
    badMinutes: 120,
    firesWithinMinutes: 70,
  },
  ...burns('Freshness', slo('databridge_delivery_first_attempt_delay_seconds', 'path="straight"', '5')),
  ...burns('Routing', slo('databridge_fan_out_routing_seconds', 'event_type="root-cause"', '5')),
  ...burns('Api', [
    one('databridge_api_request_duration_seconds_count', 'status="2xx"', perSample(100), perSample(50)),
    one('databridge_api_request_duration_seconds_count', 'status="5xx"', perSample(0), perSample(50)),
  ]),
  CustomerDisabled: { series: [one('databridge_customer_disabled', 'customer="acme",by="worker"', '_', 1)] },
  CustomerWillBeDisabled: {
    series: [
      one('databridge_delivery_disable_timestamp_seconds', `${ACME},because="exhausted"`, ahead(80_000), ahead(9_000)),
    ],
  },
  CustomerFailing: {
    series: [one('databridge_delivery_failing_since_timestamp_seconds', ACME, '_', ago(1_000))],
  },
  CustomerNotAuthorized: heldCase('deauthorized'),
  CustomerRefusesAll: heldCase('refusals'),
  CustomerBlocked: heldCase('blocked'),
  RateLimitTooLow: {
    series: [
      one('databridge_delivery_stalled_seconds_total', `${ACME},by="rate"`, perSample(0), perSample(30)),
      one('databridge_delivery_oldest_undelivered_timestamp_seconds', ACME, ago(1), ago(2_000)),
    ],
    badMinutes: 60,
    firesWithinMinutes: 35,
  },
  DeadLettersRise: {
    series: [one('databridge_delivery_dead_letters_total', `${ACME},reason="refused"`, perSample(0), perSample(2))],
    resolvesWithinMinutes: 70,
  },
  CertificateExpiring: {
    series: [
      one('databridge_certificate_expiry_timestamp_seconds', 'customer="acme"', ahead(9_000_000), ahead(900_000)),
    ],
  },
};
