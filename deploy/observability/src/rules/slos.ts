/** The service level objectives over 28 days, and their error budgets' burn rates. */
import type { Alert, Durations, Recording } from './rule.ts';

interface Slo {
  /** Part of the names of recording rules. */
  readonly name: string;
  /** Part of the names of alerts. */
  readonly title: string;
  /** The share of events that may miss the objective. */
  readonly budget: number;
  readonly good: (window: string) => string;
  readonly total: (window: string) => string;
  readonly means: string;
}

const rateOf = (series: string, window: string) => `sum by (namespace) (rate(${series}[${window}]))`;

const SLOS: readonly Slo[] = [
  {
    name: 'freshness',
    title: 'Freshness',
    budget: 0.001,
    good: (window) => rateOf('databridge_delivery_first_attempt_delay_seconds_bucket{path="straight",le="5"}', window),
    total: (window) => rateOf('databridge_delivery_first_attempt_delay_seconds_count{path="straight"}', window),
    means:
      '99.9 % of the events that nothing of the customer holds back are first attempted within 5 s of their intake',
  },
  {
    name: 'routing',
    title: 'Routing',
    budget: 0.001,
    good: (window) => rateOf('databridge_fan_out_routing_seconds_bucket{le="5"}', window),
    total: (window) => rateOf('databridge_fan_out_routing_seconds_count', window),
    means: '99.9 % of intake records are routed within 5 s',
  },
  {
    name: 'api',
    title: 'Api',
    budget: 0.001,
    good: (window) => rateOf('databridge_api_request_duration_seconds_count{status!="5xx"}', window),
    total: (window) => rateOf('databridge_api_request_duration_seconds_count', window),
    means: '99.9 % of the requests to the API are not answered by a 5xx',
  },
];

const WINDOWS = ['5m', '30m', '1h', '6h', '3d'] as const;
/** With fewer events than this in the long window, a share of one in a thousand means nothing. */
const LEAST_EVENTS = 20;

const recorded = (slo: Slo, window: string) => `databridge:${slo.name}:errors_ratio_rate${window}`;
const counted = (slo: Slo, window: string) => `databridge:${slo.name}:events_rate${window}`;

/** Without traffic a ratio has no value: no data is never "met". */
export const SLO_RECORDINGS: readonly Recording[] = SLOS.flatMap((slo) =>
  WINDOWS.flatMap((window): Recording[] => [
    {
      record: recorded(slo, window),
      expr: (d) => `1 - ((${slo.good(d.of(window))}) / (${slo.total(d.of(window))} > 0))`,
    },
    { record: counted(slo, window), expr: (d) => slo.total(d.of(window)) },
  ]),
);

/** The state of the objectives, for reports: evaluated rarely, since it reads 28 days. */
export const OBJECTIVE_RECORDINGS: readonly Recording[] = [
  ...SLOS.map(
    (slo): Recording => ({
      record: `databridge:${slo.name}:good_ratio_28d`,
      expr: (d) => `(${slo.good(d.of('28d'))}) / (${slo.total(d.of('28d'))} > 0)`,
    }),
  ),
  {
    /** The objective is 0. EventsMayBeLost fires at the first loss. */
    record: 'databridge:loss:suspected_28d',
    expr: (d) =>
      `${[
        `sum by (namespace) (increase(databridge_kafka_offset_jumps_total[${d.of('28d')}]))`,
        `on (namespace) sum by (namespace) (increase(databridge_delivery_all_offsets_lost_total[${d.of('28d')}]))`,
        `on (namespace) (sum by (namespace) (max_over_time(databridge_retention_expired_records[${d.of('28d')}]))`,
      ].join('\n+ ')}\n  or 0 * sum by (namespace) (databridge_export_timestamp_seconds))`,
  },
];

/** Long and short window, and the burn rate at which a long window uses 2 %, 5 % or 10 % of the budget of 28 days. */
const BURNS = [
  { severity: 'critical', long: '1h', short: '5m', factor: 13.44, suffix: 'Burn' },
  { severity: 'warning', long: '6h', short: '30m', factor: 5.6, suffix: 'BurnSlow' },
  { severity: 'info', long: '3d', short: '6h', factor: 0.93, suffix: 'BurnLong' },
] as const;

function burning(slo: Slo, { long, short, factor }: (typeof BURNS)[number], d: Durations): string {
  const limit = Number((factor * slo.budget).toPrecision(4));
  const traffic = `${counted(slo, long)} * ${d.seconds(long)} > ${LEAST_EVENTS}`;
  return `${recorded(slo, long)} > ${limit} and ${recorded(slo, short)} > ${limit} and on (namespace) (${traffic})`;
}

export const SLO_ALERTS: readonly Alert[] = SLOS.flatMap((slo) =>
  BURNS.map(
    (burn): Alert => ({
      name: `${slo.title}${burn.suffix}`,
      severity: burn.severity,
      fault: 'ours',
      expr: (d) => burning(slo, burn, d),
      keepFiringFor: '2m',
      summary: `{{ $value | humanizePercentage }} miss the ${slo.name} objective over ${burn.long}`,
      description: `Objective: ${slo.means}. At this rate the error budget of 28 days is used ${burn.factor} times too fast or more.`,
      dashboard: 'databridge-slo',
    }),
  ),
);
