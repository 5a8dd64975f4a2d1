/** Which alerts each fault run must raise: the fault runs assert it, and docs/operations.md shows it. */
import type { Fault } from '@databridge/observability/rules/rule';
import { ALERTS } from '@databridge/observability/rules/rules-file';

export interface ExpectedAlerts {
  /** Whose fault it is: no alert on somebody else's may be sent to anybody. */
  readonly fault: Fault;
  /** Must be sent to their receivers. */
  readonly sent: readonly string[];
  /** May be sent as well: whether the fault lasts for long enough depends on the machine. */
  readonly maybe?: readonly string[];
  /** Of the alert's runbook: it is executed while the alert fires, or after the fault, and must succeed in the end. */
  readonly cure: { readonly alert: string; readonly command: string };
}

const LATE = ['FreshnessBurn', 'RoutingBurn'];
/** What follows from a process that is away until it has started again, where the machine makes seconds minutes. */
const RESTARTING = ['FanOutAbsent', 'NobodyDelivers', ...LATE];
/** What follows from a broker that is away, if it is sent before the alert on its cause, which inhibits it. */
const WITHOUT_KAFKA = [...RESTARTING, 'CustomerNotRunning', 'NoWriter', 'StateNotExported', 'ServiceNotReady'];
const DOCTOR = 'databridge doctor';

export const EXPECTED_ALERTS = {
  'a customer answers 500 until it is disabled': {
    fault: 'customer',
    sent: ['CustomerDisabled', 'CustomerWillBeDisabled'],
    cure: { alert: 'CustomerDisabled', command: 'databridge enable acme' },
  },
  'fan-out is gone': {
    fault: 'ours',
    sent: ['FanOutAbsent'],
    cure: { alert: 'FanOutAbsent', command: DOCTOR },
  },
  'the registry is away for long while fan-out restarts': {
    fault: 'ours',
    sent: ['RegistryUnreachable'],
    // The two minutes that a group may take to admit a new member are four seconds here.
    maybe: ['FanOutAbsent'],
    cure: { alert: 'RegistryUnreachable', command: DOCTOR },
  },
  'retention is about to delete what a rate limit holds back': {
    fault: 'ours',
    sent: ['RetentionWillDelete'],
    cure: { alert: 'RetentionWillDelete', command: 'databridge pause acme' },
  },
  'a producer floods the quarantine': {
    fault: 'ours',
    sent: ['QuarantineRises'],
    cure: { alert: 'QuarantineRises', command: 'databridge quarantine discard --reason malformed-frame --yes' },
  },
  'a client certificate runs out': {
    fault: 'customer',
    sent: ['CertificateExpiring'],
    cure: { alert: 'CertificateExpiring', command: 'databridge apply -f subscriptions/ --yes' },
  },
  'two control planes, and no writer': {
    fault: 'ours',
    sent: ['NoWriter'],
    cure: { alert: 'NoWriter', command: DOCTOR },
  },
  '10,000 held retries': {
    fault: 'customer',
    sent: [],
    maybe: ['CustomerFailing'],
    cure: { alert: 'CustomerFailing', command: 'databridge test acme' },
  },
  '3 workers come and go': {
    fault: 'ours',
    sent: [],
    maybe: RESTARTING,
    cure: { alert: 'RebalanceStorm', command: 'databridge workers' },
  },
  'a broker refuses some partitions': {
    fault: 'ours',
    sent: [],
    maybe: RESTARTING,
    cure: { alert: 'FreshnessBurn', command: 'databridge workers' },
  },
  'a flood of poison': {
    fault: 'ours',
    sent: ['QuarantineRises'],
    maybe: LATE,
    cure: { alert: 'QuarantineRises', command: 'databridge quarantine discard --reason malformed-frame --yes' },
  },
  'destinations misbehave': {
    fault: 'customer',
    sent: [],
    cure: { alert: 'CustomerFailing', command: 'databridge test acme' },
  },
  'SIGKILL of each service': {
    fault: 'ours',
    sent: [],
    maybe: RESTARTING,
    cure: { alert: 'FreshnessBurn', command: 'databridge workers' },
  },
  'SIGSTOP past the session time-out, SIGCONT': {
    fault: 'ours',
    sent: [],
    maybe: RESTARTING,
    cure: { alert: 'FreshnessBurn', command: 'databridge workers' },
  },
  'the broker restarts': {
    fault: 'ours',
    sent: ['KafkaWritesFail'],
    maybe: WITHOUT_KAFKA,
    cure: { alert: 'KafkaWritesFail', command: DOCTOR },
  },
  "the broker's disk is full": {
    fault: 'ours',
    sent: ['KafkaWritesFail'],
    maybe: WITHOUT_KAFKA,
    cure: { alert: 'KafkaWritesFail', command: DOCTOR },
  },
  'the leader of three brokers dies': {
    fault: 'ours',
    sent: [],
    maybe: ['KafkaWritesFail', ...WITHOUT_KAFKA],
    cure: { alert: 'KafkaWritesFail', command: DOCTOR },
  },
  'the network is cut, silent, slow': {
    fault: 'ours',
    sent: [],
    maybe: ['KafkaWritesFail', ...WITHOUT_KAFKA],
    cure: { alert: 'KafkaWritesFail', command: DOCTOR },
  },
  'the registry is down': {
    fault: 'ours',
    sent: ['RegistryUnreachable'],
    maybe: RESTARTING,
    cure: { alert: 'RegistryUnreachable', command: DOCTOR },
  },
} as const satisfies Readonly<Record<string, ExpectedAlerts>>;

export type Scenario = keyof typeof EXPECTED_ALERTS;

export const expectedOf = (scenario: Scenario): ExpectedAlerts => EXPECTED_ALERTS[scenario];

export function faultOf(alert: string): Fault {
  const found = ALERTS.find(({ name }) => name === alert);
  if (found === undefined) throw new Error(`there is no alert ${alert}`);
  return found.fault;
}

/** For docs/operations.md. */
export function expectedAlertsTable(): string {
  const link = (name: string) => `[${name}](operations/runbooks/Databridge${name}.md)`;
  const links = (names: readonly string[] | undefined) => names?.map(link).join(', ') ?? '';
  const rows = Object.entries<ExpectedAlerts>(EXPECTED_ALERTS).map(
    ([scenario, { fault, sent, maybe, cure }]) =>
      `| ${scenario} | ${fault} | ${links(sent) || 'none'} | ${links(maybe)} | \`${cure.command}\` |`,
  );
  return [
    '| what is done | `fault` | alerts that are sent | may be sent as well | command that is executed |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
