import { dashboard } from './dashboard.ts';
import { NONE_IS_GOOD, orNone, orNoneOf, S, series, stat, table, text } from './panels.ts';

const C = `${S},customer="$customer"`;

export const customer = dashboard({
  uid: 'databridge-customer',
  title: 'Customer',
  about: 'One customer: what waits, why, what its endpoint answers, and how much of its time is used.',
  hasCustomer: true,
  rows: [
    [
      'Now',
      [
        stat(
          {
            title: 'Failing for',
            about: 'Since the first failed attempt after the last success; 0 while it succeeds.',
            unit: 's',
            steps: [
              [null, 'green'],
              [60, 'orange'],
              [3_600, 'red'],
            ],
          },
          orNone(`max(time() - databridge_delivery_failing_since_timestamp_seconds{${C}})`),
        ),
        stat(
          { title: 'Waiting', about: 'Records that are not done, in all its lanes.' },
          orNone(`sum(databridge_delivery_waiting_records{${C}})`),
        ),
        stat(
          {
            title: 'Last success',
            about: 'How long ago its endpoint accepted something.',
            unit: 's',
            negative: 'never',
          },
          `min(time() - databridge_delivery_last_success_timestamp_seconds{${C}}) or 0 * max(databridge_delivery_customers{${S}}) - 1`,
        ),
        stat(
          {
            title: 'Budget used',
            about: 'Of 24 hours or 185 attempts, by the event that has used the most.',
            unit: 'percentunit',
            steps: [
              [null, 'green'],
              [0.5, 'orange'],
              [0.9, 'red'],
            ],
          },
          orNone(`max(databridge_delivery_budget_used_ratio{${C}})`),
        ),
        stat(
          {
            title: 'Disabled in',
            about: 'Unless an attempt succeeds until then. No value: not in sight. "databridge explain" says the same.',
            unit: 's',
            steps: [
              [null, 'red'],
              [14_400, 'orange'],
              [43_200, 'green'],
            ],
          },
          `min(databridge_delivery_disable_timestamp_seconds{${C}} - time())`,
        ),
        stat(
          {
            title: 'Dead letters',
            about: 'Events that were given up. "databridge dead-letters list" shows them.',
            steps: NONE_IS_GOOD,
          },
          orNone(`max(databridge_dead_letters{${C}})`),
        ),
        text(
          'At the terminal',
          '`databridge explain $customer` says what holds it back and what comes next · `databridge attempts $customer --from 1h` shows what its endpoint answers · `databridge test $customer` sends one event now',
          24,
          3,
        ),
      ],
    ],
    [
      'What its endpoint does',
      [
        series({ title: 'Attempts', about: 'By outcome.', unit: 'ops', isStacked: true }, [
          `sum by (outcome) (rate(databridge_delivery_attempts_total{${C}}[5m]))`,
          '{{outcome}}',
        ]),
        series({ title: 'Duration of attempts', about: 'On average.', unit: 's' }, [
          `sum(rate(databridge_delivery_attempt_seconds_total{${C}}[5m])) / sum(rate(databridge_delivery_attempts_total{${C}}[5m]))`,
          'mean',
        ]),
        series(
          {
            title: 'Breaker',
            about: '0 closed, 1 half-open, 2 open. While the connection is held it is closed.',
            span: 8,
          },
          [`max(databridge_delivery_breaker_state{${C}})`, 'breaker'],
          [`max by (because) (databridge_delivery_held{${C}})`, 'held: {{because}}'],
        ),
        series(
          {
            title: 'Why nothing is sent',
            about: 'The part of the time in which something was due and not sent, by what stood in the way.',
            unit: 'percentunit',
            span: 8,
            isStacked: true,
          },
          [`sum by (by) (rate(databridge_delivery_stalled_seconds_total{${C}}[5m]))`, '{{by}}'],
        ),
        series(
          {
            title: 'Rate against its limit',
            about: 'Requests per second; the effective limit is lower than the stated one after answers of 429.',
            unit: 'ops',
            span: 8,
          },
          [`sum(rate(databridge_delivery_attempts_total{${C}}[5m]))`, 'attempts'],
          [`max by (kind) (databridge_delivery_rate_limit{${C}})`, 'limit, {{kind}}'],
        ),
      ],
    ],
    [
      'What waits',
      [
        series(
          { title: 'Waiting records', about: 'By lane: main, and the retry lanes by their delay.', isStacked: true },
          [`sum by (lane) (databridge_delivery_waiting_records{${C}})`, '{{lane}}'],
        ),
        series({ title: 'Budget used', about: 'By the event that has used the most.', unit: 'percentunit' }, [
          orNoneOf('budget', `max by (budget) (databridge_delivery_budget_used_ratio{${C}})`),
          '{{budget}}',
        ]),
        series({ title: 'In flight', about: 'Requests that are not answered yet.', span: 8 }, [
          `sum(databridge_delivery_in_flight{${C}})`,
          'requests',
        ]),
        series({ title: 'Given up', about: 'Dead letters by reason.', unit: 'ops', span: 8 }, [
          `sum by (reason) (rate(databridge_delivery_dead_letters_total{${C}}[5m]))`,
          '{{reason}}',
        ]),
        table(
          {
            title: 'Where it runs',
            about: 'The worker and the destination.',
            span: 8,
            labels: { worker: 'Worker', destination: 'Destination' },
          },
          { heading: 'Runs', expression: `max by (worker, destination) (databridge_delivery_customer_info{${C}})` },
        ),
      ],
    ],
  ],
});
