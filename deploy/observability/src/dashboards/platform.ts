import { dashboard } from './dashboard.ts';
import { bars, NONE_IS_GOOD, orNone, orNoneOf, S, series, stat, table } from './panels.ts';

export const platform = dashboard({
  uid: 'databridge-platform',
  title: 'Kafka, retention and control plane',
  about: 'What Kafka refuses, what retention is about to delete, and whether the control plane works.',
  rows: [
    [
      'Now',
      [
        stat(
          {
            title: 'Writers',
            about: 'Control planes that make the changes: exactly one.',
            steps: [
              [null, 'red'],
              [1, 'green'],
              [2, 'red'],
            ],
          },
          `sum(databridge_control_plane_is_writer{${S}})`,
        ),
        stat(
          {
            title: 'Figures exported',
            about: 'How long ago the writer exported what is shown here of customers: every 30 s.',
            unit: 's',
            steps: [
              [null, 'green'],
              [120, 'red'],
            ],
          },
          `time() - max(databridge_export_timestamp_seconds{${S}})`,
        ),
        stat(
          {
            title: 'Deleted within a day',
            about: 'Waiting records that retention will delete. See the runbook of RetentionWillDelete.',
            steps: NONE_IS_GOOD,
          },
          orNone(`sum(databridge_retention_expiring_records{${S}})`),
        ),
        stat(
          {
            title: 'Deleted before delivery',
            about: 'Waiting records that retention has deleted: lost.',
            steps: NONE_IS_GOOD,
          },
          orNone(`sum(databridge_retention_expired_records{${S}})`),
        ),
        stat(
          { title: 'Dead letters', about: 'All customers together.', steps: NONE_IS_GOOD },
          orNone(`sum(databridge_dead_letters{${S}})`),
        ),
        stat(
          { title: 'In quarantine', about: 'Intake records that nobody got.', steps: NONE_IS_GOOD },
          orNone(`max(databridge_quarantine_records{${S}})`),
        ),
      ],
    ],
    [
      'Kafka',
      [
        series(
          {
            title: 'Writes and commits that failed',
            about: 'Ours. The work waits, nothing is lost.',
            unit: 'ops',
            span: 8,
          },
          [
            `sum by (component, doing) (rate({__name__=~"databridge_delivery_own_faults_total|databridge_fan_out_own_faults_total",${S}}[5m]))`,
            '{{component}} {{doing}}',
          ],
        ),
        series({ title: 'Rebalances', about: 'Joins of groups, an hour.', span: 8 }, [
          `sum by (group) (increase(databridge_kafka_rebalances_total{${S}}[1h]))`,
          '{{group}}',
        ]),
        series(
          { title: 'Offsets out of range or lost', about: 'Each may be lost data.', span: 8 },
          [`sum(databridge_kafka_offset_jumps_total{${S}})`, 'out of range'],
          [`sum(databridge_delivery_all_offsets_lost_total{${S}})`, 'lost by the group'],
        ),
      ],
    ],
    [
      'Customers, as the writer sees them',
      [
        series({ title: 'Customers', about: 'By state.', span: 8, isStacked: true }, [
          `max by (state) (databridge_customers{${S}})`,
          '{{state}}',
        ]),
        bars({ title: 'Dead letters', about: 'The ten customers with the most.', span: 8 }, [
          orNoneOf('customer', `topk(10, max by (customer) (databridge_dead_letters{${S}}))`),
          '{{customer}}',
        ]),
        bars(
          {
            title: 'Waiting, and no worker',
            about: 'Records of customers that no live worker runs: paused, disabled, or unattended.',
            span: 8,
          },
          [
            orNoneOf('customer', `topk(10, max by (customer) (databridge_unattended_waiting_records{${S}}))`),
            '{{customer}}',
          ],
        ),
        table(
          {
            title: 'Disabled',
            about: 'By whom. "databridge enable <customer>" resumes.',
            span: 12,
            labels: { customer: 'Customer', by: 'By' },
          },
          { heading: 'Disabled', expression: `max by (customer, by) (databridge_customer_disabled{${S}})` },
        ),
        table(
          {
            title: 'Client certificates',
            about: 'When those of subscriptions expire.',
            span: 12,
            labels: { customer: 'Customer' },
            sortBy: 'Expires in',
          },
          {
            heading: 'Expires in',
            expression: `min by (customer) (databridge_certificate_expiry_timestamp_seconds{${S}}) - time()`,
            unit: 's',
            steps: [
              [null, 'red'],
              [1_209_600, 'green'],
            ],
          },
        ),
      ],
    ],
    [
      'API',
      [
        series({ title: 'Requests', about: 'By route.', unit: 'ops' }, [
          `sum by (method, route) (rate(databridge_api_request_duration_seconds_count{${S}}[5m]))`,
          '{{method}} {{route}}',
        ]),
        series({ title: 'Duration', about: '99th percentile by route.', unit: 's' }, [
          `histogram_quantile(0.99, sum by (le, route) (rate(databridge_api_request_duration_seconds_bucket{${S}}[5m])))`,
          '{{route}}',
        ]),
        series({ title: 'Answers', about: 'By class of status. 5xx are ours.', unit: 'ops', isStacked: true }, [
          `sum by (status) (rate(databridge_api_request_duration_seconds_count{${S}}[5m]))`,
          '{{status}}',
        ]),
        series({ title: 'Workers', about: 'By version.' }, [
          `max by (version) (databridge_workers{${S}})`,
          '{{version}}',
        ]),
      ],
    ],
  ],
});
