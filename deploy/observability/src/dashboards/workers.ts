import { dashboard } from './dashboard.ts';
import { NONE_IS_GOOD, orNone, S, series, stat, table } from './panels.ts';

const D = `${S},component="delivery"`;

export const workers = dashboard({
  uid: 'databridge-workers',
  title: 'Workers',
  about: 'Delivery workers and all processes: what they run, what bounds them, how busy they are.',
  rows: [
    [
      'Now',
      [
        stat(
          {
            title: 'Live workers',
            about: 'By their own reports.',
            steps: [
              [null, 'red'],
              [1, 'green'],
            ],
          },
          `sum(databridge_workers{${S}})`,
        ),
        stat(
          { title: 'Customers not run', about: 'That workers are to run and do not.', steps: NONE_IS_GOOD },
          `sum(databridge_delivery_customers_wanted{${S}}) - sum(databridge_delivery_customers{${S}})`,
        ),
        stat(
          {
            title: 'Versions',
            about: 'More than one: an upgrade is going on, or was left half-way.',
            steps: [
              [null, 'green'],
              [2, 'orange'],
            ],
          },
          `count(count by (version) (databridge_build_info{${S}}))`,
        ),
        stat(
          { title: 'Not ready', about: 'Processes that say so at /readyz.', steps: NONE_IS_GOOD },
          orNone(`count(databridge_ready{${S}} == 0)`),
        ),
        stat(
          { title: 'Rebalances, 1 h', about: 'Processes that joined a group again.' },
          orNone(`sum(increase(databridge_kafka_rebalances_total{${S}}[1h]))`),
        ),
        stat(
          { title: 'Consumers restarted, 1 h', about: 'They failed and were started again.', steps: NONE_IS_GOOD },
          orNone(`sum(increase(databridge_kafka_consumer_restarts_total{${S}}[1h]))`),
        ),
        table(
          {
            title: 'Processes',
            about: 'Version, and readiness with its reason: 1 is ready.',
            labels: { instance: 'Instance', component: 'Component', reason: 'Ready?' },
          },
          {
            heading: 'Ready',
            expression: `max by (instance, component, reason) (databridge_ready{${S}})`,
            steps: [
              [null, 'red'],
              [1, 'green'],
            ],
          },
        ),
      ],
    ],
    [
      'What bounds delivery',
      [
        series(
          { title: 'Customers', about: 'Wanted and run, by worker.' },
          [`sum by (instance) (databridge_delivery_customers_wanted{${S}})`, '{{instance}} wanted'],
          [`sum by (instance) (databridge_delivery_customers{${S}})`, '{{instance}} run'],
        ),
        series(
          { title: 'Connections', about: 'Open, against MAX_CONNECTIONS.' },
          [`sum by (instance) (databridge_delivery_connections{${S}})`, '{{instance}}'],
          [`max(databridge_delivery_connections_limit{${S}})`, 'limit'],
        ),
        series(
          { title: 'Memory of records that wait', about: 'Against HELD_RECORDS_MIB.', unit: 'bytes' },
          [`sum by (instance) (databridge_delivery_held_bytes{${S}})`, '{{instance}}'],
          [`max(databridge_delivery_held_bytes_limit{${S}})`, 'limit'],
        ),
        series({ title: 'Requests in flight', about: 'By worker.' }, [
          `sum by (instance) (databridge_delivery_in_flight{${S}})`,
          '{{instance}}',
        ]),
        series(
          {
            title: 'Commit',
            about: 'From a finished attempt to the commit of its offset. It bounds what a crash repeats.',
            unit: 's',
          },
          [
            `histogram_quantile(0.5, sum by (le) (rate(databridge_delivery_commit_duration_seconds_bucket{${S}}[5m])))`,
            'median',
          ],
          [
            `histogram_quantile(0.99, sum by (le) (rate(databridge_delivery_commit_duration_seconds_bucket{${S}}[5m])))`,
            '99th percentile',
          ],
        ),
        series(
          {
            title: 'Retries: how late',
            about: 'After they were due, without what customers’ own limits held back.',
            unit: 's',
          },
          [
            `histogram_quantile(0.5, sum by (le) (rate(databridge_delivery_retry_lateness_seconds_bucket{${S}}[5m])))`,
            'median',
          ],
          [
            `histogram_quantile(0.99, sum by (le) (rate(databridge_delivery_retry_lateness_seconds_bucket{${S}}[5m])))`,
            '99th percentile',
          ],
        ),
        series(
          { title: 'Waits that are ours', about: 'Customers for which something was due and not sent because of us.' },
          [
            `sum by (by) (rate(databridge_delivery_stalled_seconds_total{${S},by=~"lease|uncommitted|share|registry|kafka"}[5m]))`,
            '{{by}}',
          ],
        ),
        series(
          {
            title: 'Copies dropped',
            about: 'Of a record that was held or in flight already: a crash between two writes makes them.',
            unit: 'ops',
          },
          [`sum(rate(databridge_delivery_forks_total{${S}}[5m]))`, 'forks'],
        ),
      ],
    ],
    [
      'Processes',
      [
        series(
          {
            title: 'Processor',
            about: '1 is one core. A process cannot use more than a little above 1.',
            unit: 'percentunit',
          },
          [`sum by (instance, component) (rate(process_cpu_seconds_total{${S}}[5m]))`, '{{component}} {{instance}}'],
        ),
        series(
          {
            title: 'Event loop lag',
            about: '99th percentile. Heartbeats wait behind it: beyond some seconds, memberships are lost.',
            unit: 's',
            steps: [
              [null, 'green'],
              [1, 'red'],
            ],
          },
          [`max by (instance, component) (nodejs_eventloop_lag_p99_seconds{${S}})`, '{{component}} {{instance}}'],
        ),
        series({ title: 'Memory', about: 'Resident.', unit: 'bytes' }, [
          `sum by (instance, component) (process_resident_memory_bytes{${S}})`,
          '{{component}} {{instance}}',
        ]),
        series({ title: 'Attempts by worker', about: 'Whether the work is spread.', unit: 'ops' }, [
          `sum by (instance) (rate(databridge_delivery_attempts_total{${D}}[5m]))`,
          '{{instance}}',
        ]),
      ],
    ],
  ],
});
