import { dashboard } from './dashboard.ts';
import { S, type Steps, series, stat, text } from './panels.ts';

const WINDOW = '28d';
const OBJECTIVE = 0.999;
const ROUTED_WITHIN_S = '5';

const attempted = (range: string, more = '') =>
  `sum(increase(databridge_delivery_first_attempt_delay_seconds_${more === '' ? 'count' : 'bucket'}{${S},path="straight"${more}}[${range}]))`;
const fresh = (range: string) => `${attempted(range, ',le="5"')} / ${attempted(range)}`;
const routed = (range: string) =>
  `sum(increase(databridge_fan_out_routing_seconds_bucket{${S},le="${ROUTED_WITHIN_S}"}[${range}])) / sum(increase(databridge_fan_out_routing_seconds_count{${S}}[${range}]))`;
const answered = (range: string) =>
  `sum(increase(databridge_api_request_duration_seconds_count{${S},status!="5xx"}[${range}])) / sum(increase(databridge_api_request_duration_seconds_count{${S}}[${range}]))`;
const burn = (good: (range: string) => string, range: string) =>
  `(1 - (${good(range)})) / ${(1 - OBJECTIVE).toFixed(3)}`;
const left = (good: (range: string) => string) => `1 - (${burn(good, WINDOW)})`;

const MET: Steps = [
  [null, 'red'],
  [OBJECTIVE, 'green'],
];
const LEFT: Steps = [
  [null, 'red'],
  [0.1, 'orange'],
  [0.5, 'green'],
];
const FAST_BURN: Steps = [
  [null, 'green'],
  [13.44, 'red'],
];

/** The objectives over 28 days. Without traffic there is no value: no data is never "met". */
export const slo = dashboard({
  uid: 'databridge-slo',
  title: 'Service levels',
  about: 'Freshness, routing, loss and API over 28 days, what is left of the error budgets, and how fast they burn.',
  from: 'now-28d',
  rows: [
    [
      'Objectives over 28 days',
      [
        text(
          'What counts',
          'Freshness: 99.9 % of events whose customer is not held back are first attempted within 5 s of the intake. Routing: 99.9 % are routed within 5 s. API: 99.9 % of answers are not 5xx. Loss: none. An error budget is the 0.1 % that may fail. A burn rate of 1 uses it up in exactly 28 days; 13.44 uses 2 % of it within an hour.',
          24,
          3,
        ),
        stat(
          { title: 'Freshness', about: 'First attempts within 5 s.', unit: 'percentunit', span: 6, steps: MET },
          fresh(WINDOW),
        ),
        stat(
          { title: 'Routing', about: 'Routed within 5 s.', unit: 'percentunit', span: 6, steps: MET },
          routed(WINDOW),
        ),
        stat(
          { title: 'API', about: 'Answers that are not 5xx.', unit: 'percentunit', span: 6, steps: MET },
          answered(WINDOW),
        ),
        stat(
          {
            title: 'Events that may be lost',
            about: 'Offsets lost or out of range, and records that retention deleted. The objective is none.',
            span: 6,
            steps: [
              [null, 'green'],
              [1, 'red'],
            ],
          },
          `sum(increase(databridge_kafka_offset_jumps_total{${S}}[${WINDOW}])) + sum(increase(databridge_delivery_all_offsets_lost_total{${S}}[${WINDOW}])) + (sum(max_over_time(databridge_retention_expired_records{${S}}[${WINDOW}])) or 0 * sum(databridge_export_timestamp_seconds{${S}}))`,
        ),
        stat(
          {
            title: 'Freshness: budget left',
            about: '1 is all of it; below 0 the objective is missed.',
            unit: 'percentunit',
            span: 8,
            steps: LEFT,
          },
          left(fresh),
        ),
        stat(
          { title: 'Routing: budget left', about: 'As for freshness.', unit: 'percentunit', span: 8, steps: LEFT },
          left(routed),
        ),
        stat(
          { title: 'API: budget left', about: 'As for freshness.', unit: 'percentunit', span: 8, steps: LEFT },
          left(answered),
        ),
      ],
    ],
    [
      'Burn rates',
      [
        series(
          { title: 'Freshness', about: 'Beyond 13.44 over an hour, somebody is called.', span: 8, steps: FAST_BURN },
          [burn(fresh, '5m'), '5 min'],
          [burn(fresh, '1h'), '1 h'],
          [burn(fresh, '6h'), '6 h'],
        ),
        series(
          { title: 'Routing', about: 'As for freshness.', span: 8, steps: FAST_BURN },
          [burn(routed, '5m'), '5 min'],
          [burn(routed, '1h'), '1 h'],
          [burn(routed, '6h'), '6 h'],
        ),
        series(
          { title: 'API', about: 'As for freshness.', span: 8, steps: FAST_BURN },
          [burn(answered, '5m'), '5 min'],
          [burn(answered, '1h'), '1 h'],
          [burn(answered, '6h'), '6 h'],
        ),
        series(
          { title: 'First attempt after', about: 'Events whose customer is not held back.', unit: 's' },
          [
            `histogram_quantile(0.5, sum by (le) (rate(databridge_delivery_first_attempt_delay_seconds_bucket{${S},path="straight"}[5m])))`,
            'median',
          ],
          [
            `histogram_quantile(0.999, sum by (le) (rate(databridge_delivery_first_attempt_delay_seconds_bucket{${S},path="straight"}[5m])))`,
            '99.9th percentile',
          ],
        ),
        series(
          {
            title: 'Events that count',
            about: 'First attempts by path: what was held back by the customer does not count for freshness.',
            unit: 'ops',
          },
          [`sum by (path) (rate(databridge_delivery_first_attempt_delay_seconds_count{${S}}[5m]))`, '{{path}}'],
        ),
      ],
    ],
  ],
});
