import { DatabridgeError } from '@databridge/kernel/errors';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatFacts, formatTable, timeOf } from '../../output/print.ts';
import { parseCount } from '../../parse-arguments.ts';
import { fullId, fullIds, type Ids } from '../../short-ids.ts';
import { type LetterOptions, takeOut } from './letters.ts';

interface Quarantined {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly detail?: string;
  readonly at: number;
  readonly bytes: number;
}

const QUARANTINE: Ids = {
  ...{ path: '/quarantine', prefix: 'idPrefix', what: 'quarantined records' },
  idOf: ({ id }: Quarantined) => id,
};

export function addQuarantine(program: Command, cli: Cli): void {
  const group = program.command('quarantine').description('records of the intake that fan-out can not read');
  withOutput(
    group
      .command('list')
      .description('list quarantined records, the oldest first')
      .option('--limit <count>', 'at most this many', parseCount, 100),
  ).action(async (options: OutputOptions & { limit: number }) => {
    const found = await cli.api().list<Quarantined>('/quarantine', {}, options.limit);
    print(options, found, () => formatQuarantine(found));
  });
  withOutput(
    group
      .command('open')
      .description('show one record with its content; the audit log records who opened it')
      .argument('<id>', 'its source, as the list shows it: its beginning is enough'),
  ).action(async (id: string, options: OutputOptions) => {
    const whole = await fullId(cli.api(), QUARANTINE, id);
    const found = await cli.api().post<Quarantined>('/quarantine/openings', { id: whole });
    print(options, found, () => formatOne(found));
  });
  for (const [verb, description] of [
    ['redrive', 'put records back to the intake; records that still can not be read stay'],
    ['discard', 'discard records: they are never delivered'],
  ] as const) {
    const command = group
      .command(verb)
      .description(description)
      .argument('[id...]', verb === 'redrive' ? 'which; all if left out' : 'which')
      .option('--reason <reason...>', 'only those with one of these reasons, such as unknown-schema')
      .option('--dry-run', 'only show the number')
      .option('-y, --yes', 'do not ask for confirmation');
    if (verb === 'redrive') command.option('--force', 'include records that still can not be read');
    else command.option('--all', 'all of them');
    command.action(async (ids: string[], options: LetterOptions & { all?: boolean }) => {
      const isChosen = ids.length > 0 || options.reason !== undefined;
      if (verb === 'discard' && isChosen === (options.all ?? false)) {
        throw new DatabridgeError('DB_INPUT_INVALID', 'Give ids or --reason, or --all');
      }
      const whole = await fullIds(cli.api(), QUARANTINE, ids);
      await takeOut(cli, { path: `/quarantine/${verb}s`, of: 'quarantine', verb, ids: whole }, options);
    });
  }
}

function formatQuarantine(found: readonly Quarantined[]): string {
  if (found.length === 0) return 'The quarantine is empty.';
  return formatTable(
    ['AT', 'REASON', 'EVENT TYPE', 'BYTES', 'ID', 'DETAIL'],
    found.map(({ at, reason, eventType, bytes, id, detail = '' }) => [
      ...[timeOf(at) ?? '', reason, eventType, bytes, id, detail],
    ]),
  );
}

function formatOne({ at, ...rest }: Quarantined): string {
  const facts = Object.entries(rest).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value),
  ]);
  return formatFacts([['at', timeOf(at) ?? ''], ...facts]);
}
