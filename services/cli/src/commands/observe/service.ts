/** The service itself: its state, the addresses that destinations must let in, and its event types. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatFacts, formatTable } from '../../output/print.ts';

interface Health {
  readonly writer: { readonly isThisOne: boolean; readonly origin?: string };
  readonly workers: { readonly alive: number; readonly dead: number; readonly failing: number };
  readonly customers: Readonly<Record<'active' | 'paused' | 'disabled' | 'unattended', number>>;
  readonly intakeLag: Readonly<Record<string, number>>;
  readonly quarantined: number;
  readonly registry: { readonly verdict: 'ok' | 'fault' | 'unknown'; readonly detail: string };
  readonly keyIds: { readonly controlPlane: readonly string[]; readonly workers: Readonly<Record<string, string[]>> };
}

interface ServiceFacts {
  readonly egressAddresses?: readonly string[];
  readonly awsPrincipal?: string;
  readonly budget: { readonly maxAttempts: number; readonly windowMs: number };
}

interface EventType {
  readonly name: string;
  readonly schemaVersion: string;
  readonly description: string;
  readonly sections: readonly string[];
}

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
    const found = await cli.api().get<ServiceFacts>('/facts');
    print(options, found, () => formatServiceFacts(found));
  });
  withOutput(
    program
      .command('event-types')
      .description('list the event types that can be subscribed to; of one, show its schema')
      .argument('[name]', 'such as root-cause'),
  ).action(async (name: string | undefined, options: OutputOptions) => {
    if (name === undefined) {
      const { eventTypes } = await cli.api().get<{ eventTypes: EventType[] }>('/event-types');
      print(options, eventTypes, () => formatEventTypes(eventTypes));
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

function formatServiceFacts({ egressAddresses, awsPrincipal, budget }: ServiceFacts): string {
  return formatFacts([
    ['requests come from', egressAddresses?.join(', ') ?? 'not stated (EGRESS_ADDRESSES)'],
    ['AWS principal', awsPrincipal ?? 'not stated (AWS_PRINCIPAL)'],
    ['an event is tried', `${budget.maxAttempts} times within ${budget.windowMs / HOUR_MS} h, at most`],
  ]);
}

const formatEventTypes = (types: readonly EventType[]) =>
  formatTable(
    ['NAME', 'SCHEMA', 'SECTIONS', 'DESCRIPTION'],
    types.map(({ name, schemaVersion, sections, description }) => [
      ...[name, schemaVersion, sections.join(','), description.split('\n')[0] ?? ''],
    ]),
  );
