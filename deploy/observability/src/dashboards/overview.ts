import { dashboard } from './dashboard.ts';
import { bars, NONE_IS_GOOD, orNone, S, series, stat, table } from './panels.ts';

const CUSTOMER_LINK =
  '/d/databridge-customer?${__url_time_range}&${datasource:queryparam}&${namespace:queryparam}&${job:queryparam}&var-customer=${__value.raw}';

/** The dashboard to open first: who is affected, since when, why, how much, until when, and whose fault it is. */
export const overview = dashboard({
  uid: 'databridge-overview',
  title: 'Overview',
  about: 'Which customers are not served, since when and why; and whether the fault is ours or theirs.',
  rows: [
    [
      'Now',
      [
        stat(
          {
            title: 'Customers that fail',
            about: 'Their last attempt failed. "databridge explain <customer>" says why.',
            steps: NONE_IS_GOOD,
          },
          orNone(`count(databridge_delivery_failing_since_timestamp_seconds{${S}})`),
        ),
        stat(
          {
            title: 'Customers disabled',
            about: 'By an operator, or after 24 hours without success. "databridge enable <customer>" resumes.',
            steps: NONE_IS_GOOD,
          },
          orNone(`sum(databridge_customers{${S},state="disabled"})`),
        ),
        stat(
          {
            title: 'Customers that no worker runs',
            about: 'Active customers without a live worker: ours. "databridge workers" names them.',
            steps: NONE_IS_GOOD,
          },
          orNone(`max(databridge_customers_unattended{${S}})`),
        ),
        stat(
          { title: 'Records that wait', about: 'In all lanes of all customers that are run.' },
          orNone(`sum(databridge_delivery_backlog_records{${S}})`),
        ),
        stat(
          {
            title: 'Oldest undelivered',
            about: 'Age of the oldest event that some customer has not accepted.',
            unit: 's',
            steps: [
              [null, 'green'],
              [300, 'orange'],
              [3_600, 'red'],
            ],
          },
          orNone(`max(time() - databridge_delivery_oldest_undelivered_timestamp_seconds{${S}})`),
        ),
        stat(
          {
            title: 'Data may be lost, 24 h',
            about: 'Offsets out of range, or lost by a group: ours. Begin with the runbook of EventsMayBeLost.',
            steps: NONE_IS_GOOD,
          },
          `sum(increase(databridge_kafka_offset_jumps_total{${S}}[1d])) + sum(increase(databridge_delivery_all_offsets_lost_total{${S}}[1d]))`,
        ),
      ],
    ],
    [
      'Who hurts',
      [
        table(
          {
            title: 'Customers that fail',
            about:
              'Since when they fail, what waits, how much of the 24 hours and 185 attempts is used, and when each will be disabled unless an attempt succeeds. A click leads to the customer.',
            labels: { customer: 'Customer' },
            sortBy: 'Budget used',
            link: CUSTOMER_LINK,
          },
          {
            heading: 'Failing for',
            expression: `time() - max by (customer) (databridge_delivery_failing_since_timestamp_seconds{${S}})`,
            unit: 's',
          },
          {
            heading: 'Waiting',
            expression: `sum by (customer) (databridge_delivery_waiting_records{${S}}) and on (customer) databridge_delivery_failing_since_timestamp_seconds{${S}}`,
          },
          {
            heading: 'Oldest',
            expression: `(time() - min by (customer) (databridge_delivery_oldest_undelivered_timestamp_seconds{${S}})) and on (customer) databridge_delivery_failing_since_timestamp_seconds{${S}}`,
            unit: 's',
          },
          {
            heading: 'Budget used',
            expression: `max by (customer) (databridge_delivery_budget_used_ratio{${S}}) and on (customer) databridge_delivery_failing_since_timestamp_seconds{${S}}`,
            unit: 'percentunit',
            steps: [
              [null, 'green'],
              [0.5, 'orange'],
              [0.9, 'red'],
            ],
          },
          {
            heading: 'Disabled in',
            expression: `min by (customer) (databridge_delivery_disable_timestamp_seconds{${S}}) - time()`,
            unit: 's',
            steps: [
              [null, 'red'],
              [14_400, 'orange'],
              [43_200, 'green'],
            ],
          },
        ),
        bars(
          {
            title: 'Why nothing is sent',
            about:
              'Customers during which something was due and not sent, by what stood in the way, over five minutes. 1 is one customer all the time.',
            span: 8,
          },
          [`round(sum by (by) (rate(databridge_delivery_stalled_seconds_total{${S}}[5m])), 0.01)`, '{{by}}'],
        ),
        bars({ title: 'Customers in trouble', about: 'By what is wrong.', span: 8 }, [
          `sum by (because) (databridge_delivery_troubled_customers{${S}})`,
          '{{because}}',
        ]),
        series({ title: 'Waiting records', about: 'The ten customers with the most.', span: 8 }, [
          `topk(10, sum by (customer) (databridge_delivery_waiting_records{${S}}))`,
          '{{customer}}',
        ]),
      ],
    ],
    [
      'Us or them',
      [
        series(
          {
            title: 'Failed attempts by class: theirs, mostly',
            about: 'dns, tls, connect, 4xx, 429, 5xx, token are the customers’; egress and proxy are ours.',
            unit: 'ops',
            isStacked: true,
          },
          [`sum by (class) (rate(databridge_delivery_failures_total{${S}}[5m]))`, '{{class}}'],
        ),
        series(
          {
            title: 'Our own faults',
            about: 'Writes and commits that Kafka refused: no customer is at fault, and nothing is lost.',
            unit: 'ops',
          },
          [`sum by (doing) (rate(databridge_delivery_own_faults_total{${S}}[5m]))`, 'delivery {{doing}}'],
          [`sum by (doing) (rate(databridge_fan_out_own_faults_total{${S}}[5m]))`, 'fan-out {{doing}}'],
        ),
      ],
    ],
    [
      'Traffic',
      [
        series(
          {
            title: 'Events in',
            about: 'Intake records by what became of them.',
            unit: 'ops',
            span: 8,
            isStacked: true,
          },
          [`sum by (outcome) (rate(databridge_fan_out_events_total{${S}}[5m]))`, '{{outcome}}'],
        ),
        series({ title: 'Attempts', about: 'By outcome.', unit: 'ops', span: 8, isStacked: true }, [
          `sum by (outcome) (rate(databridge_delivery_attempts_total{${S}}[5m]))`,
          '{{outcome}}',
        ]),
        series(
          {
            title: 'From intake to acceptance',
            about: 'Of events that succeeded at the first attempt.',
            unit: 's',
            span: 8,
          },
          [
            `histogram_quantile(0.5, sum by (le) (rate(databridge_delivery_latency_seconds_bucket{${S},path="straight"}[5m])))`,
            'median',
          ],
          [
            `histogram_quantile(0.99, sum by (le) (rate(databridge_delivery_latency_seconds_bucket{${S},path="straight"}[5m])))`,
            '99th percentile',
          ],
        ),
      ],
    ],
  ],
});
