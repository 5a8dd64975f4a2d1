/** Alerts on faults of Databridge, or of the systems that it runs on. */
import type { Alert, Durations } from './rule.ts';
import { SLO_ALERTS } from './slos.ts';

const OVERVIEW = 'databridge-overview';
const INTAKE = 'databridge-intake';
const WORKERS = 'databridge-workers';
const PLATFORM = 'databridge-platform';

/** Matches installations with any service in the last hour, so that no alert fires where none is installed. */
const installed = (d: Durations) => `count by (namespace) (present_over_time(databridge_build_info[${d.of('1h')}]))`;

/**
 * A cause stays longer than its consequences, or they would be notified just after it ended. They begin and end minutes
 * after it: fan-out that comes back looks stuck until it has read the backlog.
 */
const STAYS = { cause: '10m', absent: '16m', root: '22m' } as const;

const LOSS: readonly Alert[] = [
  {
    name: 'EventsMayBeLost',
    severity: 'critical',
    fault: 'ours',
    expr: (d) =>
      [
        `sum by (namespace) (increase(databridge_kafka_offset_jumps_total[${d.of('15m')}])) > 0`,
        `sum by (namespace) (increase(databridge_delivery_all_offsets_lost_total[${d.of('15m')}])) > 0`,
        'sum by (namespace) (databridge_retention_expired_records) > 0',
      ].join('\nor '),
    keepFiringFor: '15m',
    summary: 'Records may have been deleted before they were read, or a group lost its offsets',
    description:
      'Events may be lost for good, or be delivered again. It does not get worse by itself, unless retention goes on deleting.',
    dashboard: PLATFORM,
  },
  {
    name: 'RetentionWillDelete',
    severity: 'critical',
    fault: 'ours',
    expr: () => 'sum by (namespace, customer) (databridge_retention_expiring_records) > 0',
    keepFiringFor: '15m',
    summary: '{{ $value }} waiting records of {{ $labels.customer }} are deleted soon',
    description:
      'Retention of its topics ends before they are delivered: within a day, or within a week if the customer is paused or disabled. They are lost unless they are delivered, or kept for longer, before.',
    dashboard: PLATFORM,
  },
  {
    name: 'DeadLettersWillBeDeleted',
    severity: 'warning',
    fault: 'ours',
    expr: () => 'sum by (namespace, customer) (databridge_retention_expiring_dead_letters) > 0',
    keepFiringFor: '15m',
    summary: 'Up to {{ $value }} dead letters of {{ $labels.customer }} are deleted within a week',
    description: 'Nobody redrove or discarded them for so long that the retention of dead letters ends.',
    dashboard: PLATFORM,
  },
  {
    name: 'QuarantineWillBeDeleted',
    severity: 'warning',
    fault: 'ours',
    expr: () => 'sum by (namespace) (databridge_retention_expiring_quarantine_records) > 0',
    keepFiringFor: '15m',
    summary: 'Up to {{ $value }} quarantined records are deleted within a week',
    description: 'Nobody put them back or discarded them for so long that the retention of the quarantine ends.',
    dashboard: PLATFORM,
  },
];

const INTAKE_ALERTS: readonly Alert[] = [
  {
    name: 'FanOutAbsent',
    severity: 'critical',
    fault: 'ours',
    expr: (d) =>
      `${installed(d)} unless on (namespace) count by (namespace) (databridge_ready{component="fan-out"} == 1)`,
    for: '2m',
    keepFiringFor: STAYS.absent,
    summary: 'No instance of fan-out is ready, or none answers a scrape',
    description: 'No event reaches any customer. Nothing is lost while the intake topic keeps its records.',
    dashboard: INTAKE,
  },
  {
    name: 'FanOutStuck',
    severity: 'critical',
    fault: 'ours',
    expr: (d) =>
      `max by (namespace) (time() - databridge_fan_out_oldest_unrouted_timestamp_seconds) > ${d.seconds('2m')}\n` +
      `and on (namespace) sum by (namespace) (rate(databridge_fan_out_events_total[${d.of('2m')}])) == 0`,
    for: '1m',
    keepFiringFor: STAYS.cause,
    summary: 'Intake records wait for {{ $value | humanizeDuration }}, and fan-out routes nothing',
    description: 'No new event reaches any customer. Nothing is lost while the intake topic keeps its records.',
    dashboard: INTAKE,
  },
  {
    name: 'FanOutSlow',
    severity: 'warning',
    fault: 'ours',
    expr: (d) =>
      `max by (namespace) (time() - databridge_fan_out_oldest_unrouted_timestamp_seconds) > ${d.seconds('5m')}`,
    for: '5m',
    keepFiringFor: '2m',
    summary: 'Fan-out is {{ $value | humanizeDuration }} behind the intake',
    description: 'Events reach customers late.',
    dashboard: INTAKE,
  },
  {
    name: 'QuarantineRises',
    severity: 'warning',
    fault: 'ours',
    expr: (d) => `sum by (namespace, event_type) (increase(databridge_fan_out_quarantined_total[${d.of('15m')}])) > 10`,
    keepFiringFor: '5m',
    summary: '{{ $value | printf "%.0f" }} events of type {{ $labels.event_type }} went into quarantine',
    description: 'Fan-out cannot read what producers wrote. Those events reach nobody until they are put back.',
    dashboard: INTAKE,
  },
  {
    name: 'RegistryUnreachable',
    severity: 'critical',
    fault: 'ours',
    expr: () => 'max by (namespace) (databridge_registry_waiting) > 0',
    for: '1m',
    keepFiringFor: STAYS.root,
    summary: 'Events wait because the schema registry does not answer; schemas needed: {{ $value }}',
    description: 'Events whose schema is not known yet wait; all others flow. No customer is charged an attempt.',
    dashboard: INTAKE,
  },
];

const DELIVERY_ALERTS: readonly Alert[] = [
  {
    name: 'NobodyDelivers',
    severity: 'critical',
    fault: 'ours',
    expr: () =>
      'sum by (namespace) (databridge_customers{state="active"}) > 0\n' +
      'unless on (namespace) count by (namespace) (databridge_delivery_customers > 0)',
    for: '2m',
    keepFiringFor: STAYS.cause,
    summary: 'No delivery worker runs any of {{ $value }} active customers',
    description: 'No event is delivered. Everything waits in Kafka; nothing is lost.',
    dashboard: WORKERS,
  },
  {
    name: 'CustomerNotRunning',
    severity: 'critical',
    fault: 'ours',
    expr: () => 'max by (namespace, customer) (databridge_unattended_waiting_records) >= 0',
    for: '5m',
    keepFiringFor: '2m',
    summary: 'No worker runs {{ $labels.customer }}, which is active; {{ $value }} of its records wait',
    description: 'This customer gets nothing. Its events wait in Kafka.',
    dashboard: WORKERS,
  },
  {
    name: 'ManyCustomersFailing',
    severity: 'critical',
    fault: 'ours',
    expr: () =>
      'sum by (namespace) (databridge_delivery_troubled_customers{because="failing"}) >= 3\n' +
      'and sum by (namespace) (databridge_delivery_troubled_customers{because="failing"})\n' +
      '  > 0.25 * sum by (namespace) (databridge_delivery_customers)',
    for: '5m',
    keepFiringFor: STAYS.cause,
    summary: '{{ $value }} customers fail at the same time',
    description: 'So many endpoints seldom break at once: our network, DNS, egress proxy or certificates may.',
    dashboard: OVERVIEW,
  },
  {
    name: 'RetriesLate',
    severity: 'warning',
    fault: 'ours',
    expr: (d) =>
      `histogram_quantile(0.95, sum by (namespace, le) (rate(databridge_delivery_retry_lateness_seconds_bucket[${d.of('10m')}]))) > 10\n` +
      `and on (namespace) sum by (namespace) (increase(databridge_delivery_retry_lateness_seconds_count[${d.of('10m')}])) > 20`,
    for: '5m',
    keepFiringFor: '5m',
    summary: 'Retries are made {{ $value | humanizeDuration }} late',
    description: 'Workers have more to do than they can. Events use up their day with fewer attempts.',
    dashboard: WORKERS,
  },
  {
    name: 'ConnectionsExhausted',
    severity: 'warning',
    fault: 'ours',
    expr: () => 'max by (namespace) (databridge_delivery_connections / databridge_delivery_connections_limit) > 0.95',
    for: '5m',
    keepFiringFor: '5m',
    summary: 'A worker uses {{ $value | humanizePercentage }} of its connections',
    description: 'Customers wait for connections of each other.',
    dashboard: WORKERS,
  },
  {
    name: 'InternalFaults',
    severity: 'warning',
    fault: 'ours',
    expr: (d) => `sum by (namespace) (increase(databridge_delivery_internal_dead_letters_total[${d.of('15m')}])) > 0`,
    keepFiringFor: '15m',
    summary: '{{ $value | printf "%.0f" }} events became dead letters because of an internal error',
    description: 'They are not delivered until they are redriven. The log names the error.',
    dashboard: OVERVIEW,
  },
];

const PLATFORM_ALERTS: readonly Alert[] = [
  {
    name: 'KafkaWritesFail',
    severity: 'critical',
    fault: 'ours',
    expr: (d) =>
      `sum by (namespace) (rate(databridge_delivery_own_faults_total[${d.of('2m')}])) > 0\n` +
      `or sum by (namespace) (rate(databridge_fan_out_own_faults_total[${d.of('2m')}])) > 0`,
    for: '2m',
    keepFiringFor: STAYS.root,
    summary: 'Writes or commits to Kafka fail',
    description: 'Work waits and is tried again. After a restart more events than usual are delivered twice.',
    dashboard: PLATFORM,
  },
  {
    name: 'CommitSlow',
    severity: 'warning',
    fault: 'ours',
    expr: (d) =>
      `histogram_quantile(0.99, sum by (namespace, le) (rate(databridge_delivery_commit_duration_seconds_bucket[${d.of('5m')}]))) > 30`,
    for: '5m',
    keepFiringFor: '5m',
    summary: 'Offsets are committed {{ $value | humanizeDuration }} after the delivery',
    description: 'A crash repeats what was delivered and not committed.',
    dashboard: PLATFORM,
  },
  {
    name: 'RebalanceStorm',
    severity: 'warning',
    fault: 'ours',
    expr: (d) => `max by (namespace, group) (increase(databridge_kafka_rebalances_total[${d.of('10m')}])) > 20`,
    for: '5m',
    keepFiringFor: '10m',
    summary: 'The group {{ $labels.group }} rebalanced {{ $value | printf "%.0f" }} times in 10 minutes',
    description: 'Members come and go all the time. Deliveries stand still for seconds each time.',
    dashboard: PLATFORM,
  },
  {
    name: 'NoWriter',
    severity: 'critical',
    fault: 'ours',
    expr: (d) => `${installed(d)} unless on (namespace) (sum by (namespace) (databridge_control_plane_is_writer) > 0)`,
    for: '2m',
    keepFiringFor: STAYS.cause,
    summary: 'No control plane makes changes',
    description: 'Subscriptions cannot be changed, paused or enabled. Deliveries go on.',
    dashboard: PLATFORM,
  },
  {
    name: 'StateNotExported',
    severity: 'warning',
    fault: 'ours',
    expr: (d) => `time() - max by (namespace) (databridge_export_timestamp_seconds) > ${d.seconds('5m')}`,
    for: '1m',
    keepFiringFor: '2m',
    summary: 'The state of customers was gathered {{ $value | humanizeDuration }} ago',
    description: 'Alerts on disabled customers, retention, quarantine and certificates see an old state.',
    dashboard: PLATFORM,
  },
  {
    name: 'ServiceNotReady',
    severity: 'warning',
    fault: 'ours',
    expr: () => 'count by (namespace, component, reason) (databridge_ready == 0)',
    for: '5m',
    keepFiringFor: '2m',
    summary: '{{ $value }} instances of {{ $labels.component }} are not ready: {{ $labels.reason }}',
    description: 'They do none of the work until they are.',
    dashboard: PLATFORM,
  },
  {
    name: 'EventLoopBlocked',
    severity: 'warning',
    fault: 'ours',
    expr: () =>
      'max by (namespace, component) (nodejs_eventloop_lag_p99_seconds{component=~"fan-out|delivery|control-plane"}) > 0.25',
    for: '5m',
    keepFiringFor: '5m',
    summary: 'The event loop of {{ $labels.component }} is blocked for {{ $value | humanizeDuration }} at a time',
    description: 'Heartbeats and deliveries of all customers are late; in the end the process loses its groups.',
    dashboard: WORKERS,
  },
  {
    name: 'InvitationLocked',
    severity: 'warning',
    fault: 'ours',
    expr: () => 'sum by (namespace) (databridge_invitations_locked) > 0',
    keepFiringFor: '15m',
    summary: '{{ $value }} invitations were locked by wrong codes in the last hour',
    description: 'Somebody has a link without its code, or mistyped the code. Nothing was opened.',
    dashboard: PLATFORM,
  },
  {
    name: 'VersionSkew',
    severity: 'warning',
    fault: 'ours',
    expr: () => 'count by (namespace) (count by (namespace, version) (databridge_build_info)) > 1',
    for: '1h',
    keepFiringFor: '5m',
    summary: '{{ $value }} versions of the services run side by side',
    description: 'An upgrade did not finish.',
    dashboard: PLATFORM,
  },
];

export const OUR_ALERTS: readonly Alert[] = [
  ...LOSS,
  ...INTAKE_ALERTS,
  ...DELIVERY_ALERTS,
  ...PLATFORM_ALERTS,
  ...SLO_ALERTS,
];
