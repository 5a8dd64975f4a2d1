import { dashboard } from './dashboard.ts';
import { bars, NONE_IS_GOOD, orNone, orNoneOf, S, series, stat } from './panels.ts';

export const intake = dashboard({
  uid: 'databridge-intake',
  title: 'Intake and fan-out',
  about: 'Whether intake records are routed, how fast, and what became of them.',
  rows: [
    [
      'Now',
      [
        stat(
          {
            title: 'Records not routed',
            about: 'Beyond the committed offset. If it grows, /readyz of fan-out says why.',
          },
          `sum(databridge_fan_out_lag_records{${S}})`,
        ),
        stat(
          {
            title: 'Oldest not routed',
            about: 'Age of the oldest record that is not routed; 0: none waits.',
            unit: 's',
            steps: [
              [null, 'green'],
              [10, 'orange'],
              [60, 'red'],
            ],
          },
          orNone(`max(time() - databridge_fan_out_oldest_unrouted_timestamp_seconds{${S}})`),
        ),
        stat(
          {
            title: 'Lag last measured',
            about: 'How long ago Kafka answered. Beyond a minute the number beside is old.',
            unit: 's',
            steps: [
              [null, 'green'],
              [60, 'red'],
            ],
          },
          `max(time() - databridge_fan_out_lag_known_timestamp_seconds{${S}})`,
        ),
        stat(
          {
            title: 'In quarantine',
            about: 'Records that nobody got. "databridge quarantine list" shows them.',
            steps: NONE_IS_GOOD,
          },
          orNone(`max(databridge_quarantine_records{${S}})`),
        ),
        stat(
          { title: 'Schemas waited for', about: 'Because the registry does not answer.', steps: NONE_IS_GOOD },
          orNone(`sum(databridge_registry_waiting{${S}})`),
        ),
        stat(
          { title: 'Subscriptions known', about: 'By each instance of fan-out: all the same.' },
          `min(databridge_fan_out_subscriptions{${S}})`,
        ),
      ],
    ],
    [
      'Records',
      [
        series({ title: 'Intake records', about: 'By what became of them.', unit: 'ops', isStacked: true }, [
          `sum by (outcome) (rate(databridge_fan_out_events_total{${S}}[5m]))`,
          '{{outcome}}',
        ]),
        series(
          { title: 'From append to routed', about: 'Until Kafka has the copies.', unit: 's' },
          [
            `histogram_quantile(0.5, sum by (le) (rate(databridge_fan_out_routing_seconds_bucket{${S}}[5m])))`,
            'median',
          ],
          [
            `histogram_quantile(0.99, sum by (le) (rate(databridge_fan_out_routing_seconds_bucket{${S}}[5m])))`,
            '99th percentile',
          ],
        ),
        series(
          {
            title: 'Not routed, by partition',
            about: 'One partition alone: a record that waits for its schema, or a hot key.',
          },
          [`sum by (topic, partition) (databridge_fan_out_lag_records{${S}})`, '{{topic}}/{{partition}}'],
        ),
        series(
          {
            title: 'Copies',
            about: 'Written to customers’ topics, and not written because a content filter said no.',
            unit: 'ops',
          },
          [`sum(rate(databridge_fan_out_copies_total{${S}}[5m]))`, 'written'],
          [`sum(rate(databridge_fan_out_filtered_total{${S}}[5m]))`, 'filtered'],
        ),
      ],
    ],
    [
      'Troubles',
      [
        bars({ title: 'Quarantined in 24 hours', about: 'By reason.' }, [
          `sum by (reason) (increase(databridge_fan_out_quarantined_total{${S}}[1d]))`,
          '{{reason}}',
        ]),
        series({ title: 'Our own faults', about: 'Writes and commits that Kafka refused.', unit: 'ops', span: 8 }, [
          `sum by (doing) (rate(databridge_fan_out_own_faults_total{${S}}[5m]))`,
          '{{doing}}',
        ]),
        series(
          {
            title: 'Filters that fail',
            about: 'Events for which a filter could not be evaluated: the customer got them.',
            unit: 'ops',
            span: 8,
          },
          [
            orNoneOf('customer', `sum by (customer) (rate(databridge_fan_out_filter_failures_total{${S}}[5m]))`),
            '{{customer}}',
          ],
        ),
        series({ title: 'Memory of intake records', about: 'Fetched and not done, by instance.', unit: 'bytes' }, [
          `sum by (instance) (databridge_fan_out_in_flight_bytes{${S}})`,
          '{{instance}}',
        ]),
        series({ title: 'Subscriptions that cannot be read', about: 'Written by a newer version, or damaged.' }, [
          `sum(databridge_fan_out_unreadable_subscriptions_total{${S}})`,
          'records',
        ]),
      ],
    ],
  ],
});
