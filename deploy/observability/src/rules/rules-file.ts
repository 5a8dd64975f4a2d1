/** Prometheus' rules file, made of the alerts and recording rules. */
import { stringify } from 'yaml';
import { CUSTOMER_ALERTS } from './customer-alerts.ts';
import { OUR_ALERTS } from './our-alerts.ts';
import { type Alert, durationsDividedBy, type Recording, type RuleGroup } from './rule.ts';
import { OBJECTIVE_RECORDINGS, SLO_RECORDINGS } from './slos.ts';

export const ALERTS: readonly Alert[] = [...OUR_ALERTS, ...CUSTOMER_ALERTS];
export const RECORDINGS: readonly Recording[] = [...SLO_RECORDINGS, ...OBJECTIVE_RECORDINGS];

const GROUPS: readonly RuleGroup[] = [
  { name: 'databridge.slo', rules: SLO_RECORDINGS },
  { name: 'databridge.objectives', every: '5m', rules: OBJECTIVE_RECORDINGS },
  { name: 'databridge.ours', rules: OUR_ALERTS },
  { name: 'databridge.customers', rules: CUSTOMER_ALERTS },
];

/** Base URLs of runbooks and dashboards; the Helm chart replaces both by its values. */
const RUNBOOKS_URL = 'https://databridge.invalid/runbooks';
const DASHBOARDS_URL = 'https://databridge.invalid/d';

const HEADER = '# Written by "npm run observability" from deploy/observability/src: do not change it here.\n';

/** The divisors of durations; 1 in production. */
export interface Shortening {
  readonly windows: number;
  /** The divisor of `keep_firing_for`. */
  readonly stays: number;
}

/** @param isWanted selects rules; left out: all */
export function rulesFile(
  shortening: Shortening = { windows: 1, stays: 1 },
  isWanted: (rule: Alert | Recording) => boolean = () => true,
): string {
  const durations = durationsDividedBy(shortening.windows);
  const stays = durationsDividedBy(shortening.stays);
  const duration = (name: string, text: string | undefined, by = durations) =>
    text === undefined ? {} : { [name]: by.of(text) };
  const alert = (one: Alert) => ({
    alert: `Databridge${one.name}`,
    expr: one.expr(durations),
    ...duration('for', one.for),
    ...duration('keep_firing_for', one.keepFiringFor, stays),
    labels: { severity: one.severity, fault: one.fault },
    annotations: {
      summary: one.summary,
      description: one.description,
      runbook_url: `${RUNBOOKS_URL}/Databridge${one.name}.md`,
      dashboard_url: `${DASHBOARDS_URL}/${one.dashboard}{{ with $labels.customer }}?var-customer={{ . }}{{ end }}`,
    },
  });
  const recording = (one: Recording) => ({ record: one.record, expr: one.expr(durations) });
  const groups = GROUPS.map(({ name, every, rules }) => ({
    name,
    ...duration('interval', every),
    rules: rules.filter(isWanted).map((rule) => ('record' in rule ? recording(rule) : alert(rule))),
  }));
  return HEADER + stringify({ groups }, { lineWidth: 0 });
}
