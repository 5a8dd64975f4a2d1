import type { SeriesFamily } from '@databridge/kernel/series-table';
import type { CustomerState, SystemState } from './gather-state.ts';

/** One customer of the last export. */
export interface CustomerStateRow extends CustomerState {
  readonly expiring: number | undefined;
  readonly expiringFromMs: number | undefined;
  readonly expiringDead: number | undefined;
  readonly unattendedSinceMs: number | undefined;
}

const escaped = (text: string) => text.replace(/[\\"\n]/g, '_');

function customerGauge(
  name: SeriesFamily<unknown>['name'],
  help: string,
  of: (row: CustomerStateRow) => number | undefined,
): SeriesFamily<CustomerStateRow> {
  return { name, help, type: 'gauge', write: (row, add) => add(of(row)) };
}

export const customerStateFamilies: readonly SeriesFamily<CustomerStateRow>[] = [
  {
    name: 'databridge_customer_disabled',
    help: '1 while the customer is disabled',
    type: 'gauge',
    write: ({ disabledBy }, add) => add(disabledBy && 1, `by="${disabledBy}"`),
  },
  customerGauge(
    'databridge_unattended_waiting_records',
    'Waiting records of an active customer that no live worker runs',
    ({ unattended }) => unattended,
  ),
  customerGauge(
    'databridge_unattended_oldest_timestamp_seconds',
    'Intake time of the oldest waiting event of an active customer that no live worker runs',
    ({ unattendedSinceMs }) => unattendedSinceMs && unattendedSinceMs / 1_000,
  ),
  customerGauge(
    'databridge_retention_expiring_records',
    'Waiting records that retention deletes within a day, or a week where they are kept for more than 30 days',
    ({ expiring }) => expiring,
  ),
  customerGauge(
    'databridge_retention_deadline_timestamp_seconds',
    'When retention deletes the first of the expiring records, at the earliest',
    ({ expiringFromMs }) => expiringFromMs && expiringFromMs / 1_000,
  ),
  customerGauge(
    'databridge_retention_expiring_dead_letters',
    'Records among the dead letters that retention deletes within a week',
    ({ expiringDead }) => expiringDead,
  ),
  customerGauge(
    'databridge_retention_expired_records',
    'Records that retention deleted before they were delivered',
    ({ expired }) => expired,
  ),
  customerGauge('databridge_dead_letters', 'Records among the dead letters', ({ dead }) => dead),
  customerGauge(
    'databridge_certificate_expiry_timestamp_seconds',
    'When the client certificate of the subscription expires',
    ({ certificateExpiresAtMs }) => certificateExpiresAtMs && certificateExpiresAtMs / 1_000,
  ),
];

export interface SystemStateRow extends SystemState {
  readonly exportedAtMs: number;
  readonly expiringQuarantined: number;
  /** The invitations that wrong codes locked in the last hour. */
  readonly lockedInvitations: number;
}

export const systemStateFamilies: readonly SeriesFamily<SystemStateRow>[] = [
  {
    name: 'databridge_customers',
    help: 'Customers by state',
    type: 'gauge',
    write({ byState }, add) {
      for (const [state, count] of Object.entries(byState)) add(count, `state="${state}"`);
    },
  },
  {
    name: 'databridge_customers_unattended',
    help: 'Active customers that no live worker runs',
    type: 'gauge',
    write: ({ unattended }, add) => add(unattended),
  },
  {
    name: 'databridge_intake_waiting_records',
    help: 'Intake records that fan-out has not committed',
    type: 'gauge',
    write({ intakeWaiting }, add) {
      for (const [topic, count] of intakeWaiting) add(count, `topic="${topic}"`);
    },
  },
  {
    name: 'databridge_quarantine_records',
    help: 'Records in quarantine',
    type: 'gauge',
    write: ({ quarantined }, add) => add(quarantined),
  },
  {
    name: 'databridge_retention_expiring_quarantine_records',
    help: 'Records in quarantine that retention deletes within a week',
    type: 'gauge',
    write: ({ expiringQuarantined }, add) => add(expiringQuarantined),
  },
  {
    name: 'databridge_invitations_locked',
    help: 'Invitations that wrong codes locked in the last hour',
    type: 'gauge',
    write: ({ lockedInvitations }, add) => add(lockedInvitations),
  },
  {
    name: 'databridge_workers',
    help: 'Live delivery workers by version',
    type: 'gauge',
    write({ workers }, add) {
      for (const [version, count] of workers) add(count, `version="${escaped(version)}"`);
    },
  },
  {
    name: 'databridge_export_timestamp_seconds',
    help: 'When the writer last gathered all this',
    type: 'gauge',
    write: ({ exportedAtMs }, add) => add(exportedAtMs / 1_000),
  },
];
