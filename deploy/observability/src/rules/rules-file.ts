/** Prometheus' rules file, made of the alerts and recording rules. */
import { stringify } from 'yaml';
import { CUSTOMER_ALERTS } from './customer-alerts.ts';
import { OUR_ALERTS } from './our-alerts.ts';
import { type Alert, durationsDividedBy, type Recording, type RuleGroup } from './rule.ts';
import { SLO_RECORDINGS } from './slos.ts';

export const ALERTS: readonly Alert[] = [...OUR_ALERTS, ...CUSTOMER_ALERTS];
export const RECORDINGS = SLO_RECORDINGS;

const GROUPS: readonly RuleGroup[] = [
  { name: 'databridge.slo', rules: SLO_RECORDINGS },
  { name: 'databridge.ours', rules: OUR_ALERTS },
  { name: 'databridge.customers', rules: CUSTOMER_ALERTS },
];

/** Where runbooks and dashboards are; the Helm chart replaces both by its values. */
export const RUNBOOKS_URL = 'https://databridge.invalid/runbooks';
export const DASHBOARDS_URL = 'https://databridge.invalid/d';

const HEADER = '# Written by "npm run observability" from deploy/observability/src: do not change it here.\n';

/**
 * @param shortenedBy every duration is divided by this; 1: as in production
 * @param isWanted left out: every rule is
 */
export function rulesFile(shortenedBy = 1, isWanted: (rule: Alert | Recording) => boolean = () => true): string {
  const durations = durationsDividedBy(shortenedBy);
  const duration = (name: string, text: string | undefined) =>
    text === undefined ? {} : { [name]: durations.of(text) };
  const alert = (one: Alert) => ({
    alert: `Databridge${one.name}`,
    expr: one.expr(durations),
    ...duration('for', one.for),
    ...duration('keep_firing_for', one.keepFiringFor),
    labels: { severity: one.severity, fault: one.fault },
    annotations: {
      summary: one.summary,
      description: one.description,
      runbook_url: `${RUNBOOKS_URL}/Databridge${one.name}.md`,
      dashboard_url: `${DASHBOARDS_URL}/${one.dashboard}{{ with $labels.customer }}?var-customer={{ . }}{{ end }}`,
    },
  });
  const recording = (one: Recording) => ({ record: one.record, expr: one.expr(durations) });
  const groups = GROUPS.map(({ name, rules }) => ({
    name,
    rules: rules.filter(isWanted).map((rule) => ('record' in rule ? recording(rule) : alert(rule))),
  }));
  return HEADER + stringify({ groups }, { lineWidth: 0 });
}
