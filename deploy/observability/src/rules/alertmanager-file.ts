/** An example configuration of Alertmanager: the receiver of each alert, and the alerts that follow from others. */
import { stringify } from 'yaml';

/** While one of these fires, failures of customers most likely have their cause on our side. */
const EXPLAIN_CUSTOMERS = ['ManyCustomersFailing', 'KafkaWritesFail', 'NobodyDelivers', 'RegistryUnreachable'];

/** Maps each cause to the alerts that follow from it. */
const CONSEQUENCES: Readonly<Record<string, readonly string[]>> = {
  FanOutAbsent: ['FanOutStuck', 'FanOutSlow', 'RoutingBurn', 'RoutingBurnSlow', 'FreshnessBurn', 'FreshnessBurnSlow'],
  FanOutStuck: ['FanOutSlow', 'RoutingBurn', 'RoutingBurnSlow', 'FreshnessBurn', 'FreshnessBurnSlow'],
  NobodyDelivers: ['CustomerNotRunning', 'FreshnessBurn', 'FreshnessBurnSlow'],
  KafkaWritesFail: [
    ...['FanOutAbsent', 'FanOutStuck', 'FanOutSlow', 'NobodyDelivers', 'CustomerNotRunning', 'NoWriter'],
    ...['StateNotExported', 'CommitSlow', 'ServiceNotReady', 'RebalanceStorm', 'RoutingBurn', 'FreshnessBurn'],
  ],
  RegistryUnreachable: ['FanOutAbsent', 'FanOutStuck', 'FanOutSlow', 'ServiceNotReady', 'RoutingBurn', 'FreshnessBurn'],
  NoWriter: ['StateNotExported'],
};

const named = (names: readonly string[]) => `alertname=~"${names.map((name) => `Databridge${name}`).join('|')}"`;

export interface Receivers {
  readonly page: object;
  readonly ticket: object;
  readonly support: object;
  readonly nobody: object;
}

const EXAMPLE: Receivers = { page: {}, ticket: {}, support: {}, nobody: {} };

/** @param receivers settings of each receiver, in Alertmanager's own fields */
export function alertmanagerFile(receivers: Receivers = EXAMPLE, grouping = { wait: '30s', interval: '5m' }): string {
  const { page, ticket, support, nobody } = receivers;
  return (
    '# Written by "npm run observability" from deploy/observability/src. An example: fill in the receivers.\n' +
    stringify(
      {
        route: {
          receiver: 'ticket',
          group_by: ['namespace', 'alertname'],
          group_wait: grouping.wait,
          group_interval: grouping.interval,
          repeat_interval: '12h',
          routes: [
            { matchers: ['severity="info"'], receiver: 'nobody' },
            { matchers: ['fault="customer"'], receiver: 'support', group_by: ['namespace', 'customer'] },
            { matchers: ['severity="critical"'], receiver: 'page' },
          ],
        },
        inhibit_rules: [
          { source_matchers: [named(EXPLAIN_CUSTOMERS)], target_matchers: ['fault="customer"'], equal: ['namespace'] },
          {
            source_matchers: [named(['CustomerDisabled'])],
            target_matchers: [named(['CustomerFailing'])],
            equal: ['namespace', 'customer'],
          },
          {
            source_matchers: [named(['CustomerNotAuthorized', 'CustomerRefusesAll', 'CustomerBlocked'])],
            target_matchers: [named(['CustomerFailing'])],
            equal: ['namespace', 'customer'],
          },
          ...Object.entries(CONSEQUENCES).map(([cause, consequences]) => ({
            source_matchers: [named([cause])],
            target_matchers: [named(consequences)],
            equal: ['namespace'],
          })),
        ],
        receivers: [
          { name: 'page', ...page },
          { name: 'ticket', ...ticket },
          { name: 'support', ...support },
          { name: 'nobody', ...nobody },
        ],
      },
      { lineWidth: 0 },
    )
  );
}
