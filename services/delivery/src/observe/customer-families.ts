import type { SeriesFamily } from '@databridge/kernel/series-table';
import { HOLD_REASONS } from '@databridge/schemas/records/status';
import type { CustomerLevels } from './customer-levels.ts';
import type { CustomerMetrics } from './customer-metrics.ts';
import { STALL_REASONS } from './stalls.ts';
import { TROUBLES, type Trouble } from './troubles.ts';

/** One customer in one scrape. */
export interface CustomerRow {
  readonly counts: CustomerMetrics;
  /** undefined if this worker has counts of it, but does not run it at present. */
  readonly levels: CustomerLevels | undefined;
  readonly monotonicMs: number;
}

const BREAKER_VALUE = { closed: 0, 'half-open': 1, open: 2 } as const;

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);

const escaped = (text: string) => text.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));

function counted(
  name: SeriesFamily<unknown>['name'],
  help: string,
  label: string,
  of: (counts: CustomerMetrics) => Readonly<Record<string, number>>,
): SeriesFamily<CustomerRow> {
  return {
    ...{ name, help, type: 'counter' },
    write({ counts }, add) {
      for (const [value, count] of Object.entries(of(counts))) add(count, `${label}="${value}"`);
    },
  };
}

function level(
  name: SeriesFamily<unknown>['name'],
  help: string,
  of: (levels: CustomerLevels) => number | undefined,
): SeriesFamily<CustomerRow> {
  return { name, help, type: 'gauge', write: ({ levels }, add) => levels && add(of(levels)) };
}

/** The series of each customer; docs/metrics.md describes them. */
export const customerFamilies = (worker: string): readonly SeriesFamily<CustomerRow>[] => [
  counted('databridge_delivery_attempts_total', 'Attempts by outcome', 'outcome', ({ attempts }) => attempts),
  counted('databridge_delivery_dead_letters_total', 'Events given up', 'reason', ({ deadLetters }) => deadLetters),
  counted('databridge_delivery_disabled_total', 'Times it was disabled', 'reason', ({ disabled }) => disabled),
  {
    name: 'databridge_delivery_offsets_lost_total',
    help: 'Partitions whose group had lost its offset though there was history; restored from the status record',
    type: 'counter',
    write: ({ counts }, add) => add(counts.offsetsLost),
  },
  {
    name: 'databridge_delivery_attempt_seconds_total',
    help: 'Duration of its attempts',
    type: 'counter',
    write: ({ counts }, add) => add(counts.attemptSeconds),
  },
  {
    name: 'databridge_delivery_stalled_seconds_total',
    help: 'Time during which something was due and not sent, by the reason',
    type: 'counter',
    write({ counts, monotonicMs }, add) {
      for (const by of STALL_REASONS) add(counts.stalls.seconds(by, monotonicMs), `by="${by}"`);
    },
  },
  {
    name: 'databridge_delivery_customer_info',
    help: 'Which worker runs it and where its events go; always 1',
    type: 'gauge',
    write: ({ levels }, add) =>
      levels && add(1, `worker="${escaped(worker)}",destination="${escaped(levels.destination)}"`),
  },
  {
    name: 'databridge_delivery_waiting_records',
    help: 'Records of a lane that are not done',
    type: 'gauge',
    write({ levels }, add) {
      for (const [lane, count] of levels?.waiting ?? []) add(count, `lane="${lane}"`);
    },
  },
  level(
    'databridge_delivery_oldest_undelivered_timestamp_seconds',
    'Intake time of the oldest event that is not done',
    ({ oldestIntakeAtMs }) => seconds(oldestIntakeAtMs),
  ),
  level(
    'databridge_delivery_failing_since_timestamp_seconds',
    'First failed attempt since the last success; absent while nothing fails',
    ({ failingSinceMs }) => seconds(failingSinceMs),
  ),
  level(
    'databridge_delivery_last_success_timestamp_seconds',
    'When its destination last accepted an event',
    ({ lastSuccessAtMs }) => seconds(lastSuccessAtMs),
  ),
  {
    name: 'databridge_delivery_budget_used_ratio',
    help: 'How much of the time and of the attempts the event has used that has used the most',
    type: 'gauge',
    write({ levels }, add) {
      add(levels?.budget?.time, 'budget="time"');
      add(levels?.budget?.attempts, 'budget="attempts"');
    },
  },
  {
    name: 'databridge_delivery_disable_timestamp_seconds',
    help: 'When it will be disabled if nothing succeeds until then',
    type: 'gauge',
    write: ({ levels }, add) => add(seconds(levels?.disable?.atMs), `because="${levels?.disable?.because}"`),
  },
  {
    name: 'databridge_delivery_rate_limit',
    help: 'Requests per second: stated in the subscription, and in force',
    type: 'gauge',
    write({ levels }, add) {
      add(levels?.statedRate, 'kind="stated"');
      add(levels?.effectiveRate, 'kind="effective"');
    },
  },
  level('databridge_delivery_in_flight', 'Requests in flight', ({ inFlight }) => inFlight),
  level(
    'databridge_delivery_breaker_state',
    'Circuit breaker: 0 closed, 1 half-open, 2 open',
    ({ breaker }) => BREAKER_VALUE[breaker],
  ),
  {
    name: 'databridge_delivery_held',
    help: '1 while only probes are sent, because of its credentials, refusals or a blocked address',
    type: 'gauge',
    write({ levels }, add) {
      for (const because of HOLD_REASONS) add(levels && Number(levels.held === because), `because="${because}"`);
    },
  },
];

/** The sums over all customers of the worker, whether they have series of their own or not. */
export interface CustomerTotals {
  /** The number of records that are not done, by lane. */
  readonly backlog: Map<string, number>;
  /** The number of customers in each trouble. */
  readonly troubled: Record<Trouble, number>;
  readonly oldestIntakeAtMs: number | undefined;
  /** Our own failures since the start of the worker, including those of customers that left it. */
  readonly faults: { readonly offsetsLost: number; readonly internalDeadLetters: number };
}

export const totalFamilies: readonly SeriesFamily<CustomerTotals>[] = [
  {
    name: 'databridge_delivery_backlog_records',
    help: 'Records of a lane that are not done, all customers together',
    type: 'gauge',
    write({ backlog }, add) {
      for (const [lane, count] of backlog) add(count, `lane="${lane}"`);
    },
  },
  {
    name: 'databridge_delivery_oldest_timestamp_seconds',
    help: 'Intake time of the oldest event that is not done, all customers together',
    type: 'gauge',
    write: ({ oldestIntakeAtMs }, add) => add(seconds(oldestIntakeAtMs)),
  },
  {
    name: 'databridge_delivery_troubled_customers',
    help: 'Customers in trouble, by its kind',
    type: 'gauge',
    write({ troubled }, add) {
      for (const because of TROUBLES) add(troubled[because], `because="${because}"`);
    },
  },
  {
    name: 'databridge_delivery_all_offsets_lost_total',
    help: 'Partitions whose group had lost its offset though there was history, all customers together',
    type: 'counter',
    write: ({ faults }, add) => add(faults.offsetsLost),
  },
  {
    name: 'databridge_delivery_internal_dead_letters_total',
    help: 'Events given up after an internal error, all customers together',
    type: 'counter',
    write: ({ faults }, add) => add(faults.internalDeadLetters),
  },
];
