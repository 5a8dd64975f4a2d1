/** The service itself: its state, the addresses that destinations must let in, and its event types. */
import type { EventTypeSummary, Facts, Health, Routes } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { type Columns, formatFacts, formatList } from '../../output/print.ts';

const HOUR_MS = 3_600_000;

export function addService(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('health')
      .description(
        'show the writer, workers, customers by state, lag of the intake, registry and key ids; exit code 1 if no control plane writes, customers have no worker or the registry has a fault',
      ),
  ).action(async (options: OutputOptions) => {
    const found = await cli.api().get<Health>('/health');
    print(options, found, () => formatHealth(found));
    const { writer, customers, registry } = found;
    const hasWriter = writer.isThisOne || writer.origin !== undefined;
    if (!hasWriter || customers.unattended > 0 || registry.verdict === 'fault') cli.notWell();
  });
  withOutput(
    program
      .command('facts')
      .description('show what a destination must let in: the addresses that requests come from, and the AWS principal'),
  ).action(async (options: OutputOptions) => {
    const found = await cli.api().get<Facts>('/facts');
    print(options, found, () => formatServiceFacts(found));
  });
  withOutput(
    program
      .command('event-types')
      .description('list the event types that can be subscribed to; of one, show its schema')
      .argument('[name]', 'such as root-cause'),
  ).action(async (name: string | undefined, options: OutputOptions) => {
    if (name === undefined) {
      const { eventTypes } = await cli.api().get<Routes['GET /v1/event-types']['answer']>('/event-types');
      print(options, eventTypes, () => formatList(eventTypes, EVENT_TYPE_COLUMNS));
      return;
    }
    const found = await cli.api().get<object>(`/event-types/${encodeURIComponent(name)}`);
    print(options, found, () => JSON.stringify(found, null, 2));
  });
}

function formatHealth({ writer, workers, customers, intakeLag, quarantined, registry, keyIds }: Health): string {
  const origin = writer.origin === undefined ? '' : `, ${writer.origin}`;
  return formatFacts([
    ['writer', writer.isThisOne ? `the one that answered${origin}` : (writer.origin ?? 'none at the moment')],
    ['workers', `${workers.alive} alive, ${workers.dead} dead, ${workers.failing} fail for a customer`],
    ['customers', `${customers.active} active, ${customers.paused} paused, ${customers.disabled} disabled`],
    ['without a worker', String(customers.unattended)],
    ...Object.entries(intakeLag).map(([topic, lag]) => [`intake lag of ${topic}`, String(lag)] as const),
    ['quarantined', `${quarantined} at most`],
    ['registry', `${registry.verdict}: ${registry.detail}`],
    ['keys of control plane', keyIds.controlPlane.join(', ')],
    ...Object.entries(keyIds.workers).map(([worker, ids]) => [`keys of ${worker}`, ids.join(', ')] as const),
  ]);
}

function formatServiceFacts({ egressAddresses, awsPrincipal, budget }: Facts): string {
  return formatFacts([
    ['requests come from', egressAddresses?.join(', ') ?? 'not stated (EGRESS_ADDRESSES)'],
    ['AWS principal', awsPrincipal ?? 'not stated (AWS_PRINCIPAL)'],
    ['an event is tried', `${budget.maxAttempts} times within ${budget.windowMs / HOUR_MS} h, at most`],
  ]);
}

const EVENT_TYPE_COLUMNS: Columns<EventTypeSummary> = {
  NAME: ({ name }) => name,
  SCHEMA: ({ schemaVersion }) => schemaVersion,
  SECTIONS: ({ sections }) => sections.join(','),
  DESCRIPTION: ({ description }) => description.split('\n')[0] ?? '',
};
