/** Alerts on one customer's endpoint, credentials or limits, which the customer can fix when operators report them. */
import type { Alert } from './rule.ts';

const CUSTOMER = 'databridge-customer';

function held(name: string, because: string, summary: string, description: string): Alert {
  return {
    ...{ name, severity: 'warning', fault: 'customer', summary, description, dashboard: CUSTOMER },
    expr: () => `max by (namespace, customer) (databridge_delivery_held{because="${because}"}) == 1`,
    for: '2m',
    keepFiringFor: '2m',
  };
}

export const CUSTOMER_ALERTS: readonly Alert[] = [
  {
    name: 'CustomerDisabled',
    severity: 'warning',
    fault: 'customer',
    expr: () => 'max by (namespace, customer) (databridge_customer_disabled{by="worker"}) == 1',
    keepFiringFor: '1m',
    summary: '{{ $labels.customer }} was disabled because nothing was accepted',
    description: 'Nothing is sent to it any more. Its events wait, without a limit of time, until it is enabled.',
    dashboard: CUSTOMER,
  },
  {
    name: 'CustomerWillBeDisabled',
    severity: 'warning',
    fault: 'customer',
    expr: (d) =>
      `min by (namespace, customer) (databridge_delivery_disable_timestamp_seconds) - time() < ${d.seconds('4h')}`,
    for: '5m',
    keepFiringFor: '2m',
    summary: '{{ $labels.customer }} will be disabled in {{ $value | humanizeDuration }}',
    description: 'Nothing is accepted. After that nothing more is sent until it is enabled; its events wait.',
    dashboard: CUSTOMER,
  },
  {
    name: 'CustomerFailing',
    severity: 'info',
    fault: 'customer',
    expr: (d) =>
      `time() - min by (namespace, customer) (databridge_delivery_failing_since_timestamp_seconds) > ${d.seconds('15m')}`,
    keepFiringFor: '5m',
    summary: '{{ $labels.customer }} has accepted nothing for {{ $value | humanizeDuration }}',
    description: 'Its events are retried for a day. Other customers are not affected.',
    dashboard: CUSTOMER,
  },
  held(
    'CustomerNotAuthorized',
    'deauthorized',
    '{{ $labels.customer }} does not accept our credentials',
    'Only one event at a time is tried. No attempt is spent; after a day the customer is disabled.',
  ),
  held(
    'CustomerRefusesAll',
    'refusals',
    '{{ $labels.customer }} refuses every event',
    'Its URL is probably wrong. Only one event at a time is tried; after a day the customer is disabled.',
  ),
  held(
    'CustomerBlocked',
    'blocked',
    'The address of {{ $labels.customer }} may not be sent to',
    'Its name leads to an address that the egress policy refuses, or the egress proxy refuses it.',
  ),
  {
    name: 'RateLimitTooLow',
    severity: 'info',
    fault: 'customer',
    expr: (d) =>
      `max by (namespace, customer) (rate(databridge_delivery_stalled_seconds_total{by="rate"}[${d.of('15m')}])) > 0.9\n` +
      `and on (namespace, customer) time() - min by (namespace, customer) (databridge_delivery_oldest_undelivered_timestamp_seconds) > ${d.seconds('15m')}`,
    for: '15m',
    keepFiringFor: '5m',
    summary: 'Events of {{ $labels.customer }} wait because of its rate limit',
    description: 'More events come than the limit lets through, so they are delivered later and later.',
    dashboard: CUSTOMER,
  },
  {
    name: 'DeadLettersRise',
    severity: 'warning',
    fault: 'customer',
    expr: (d) =>
      `sum by (namespace, customer) (increase(databridge_delivery_dead_letters_total{reason=~"refused|exhausted"}[${d.of('1h')}])) > 10\n` +
      // CustomerRefusesAll then describes it; what became dead letters is to be redriven when that has ended.
      'unless on (namespace, customer) max by (namespace, customer) (databridge_delivery_held{because="refusals"}) == 1',
    for: '1m',
    keepFiringFor: '5m',
    summary: '{{ $value | printf "%.0f" }} events of {{ $labels.customer }} became dead letters within an hour',
    description: 'The endpoint refuses single events and accepts others. They are not tried again.',
    dashboard: CUSTOMER,
  },
  {
    name: 'CertificateExpiring',
    severity: 'warning',
    fault: 'customer',
    expr: (d) =>
      `min by (namespace, customer) (databridge_certificate_expiry_timestamp_seconds) - time() < ${d.seconds('14d')}`,
    for: '5m',
    keepFiringFor: '5m',
    summary: 'The client certificate of {{ $labels.customer }} expires in {{ $value | humanizeDuration }}',
    description: 'After that its endpoint refuses our connections.',
    dashboard: CUSTOMER,
  },
];
