import type { AuditRecord } from '@databridge/schemas/records/audit';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatTable, timeOf } from '../../output/print.ts';
import { parseCount } from '../../parse-arguments.ts';

interface AuditOptions extends OutputOptions {
  readonly customer?: string;
  readonly limit: number;
}

export function addAudit(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('audit')
      .description(
        'list all changes and who made them, the newest first; -o yaml shows the subscriptions before and after',
      )
      .option('--customer <customer>', 'only for this customer')
      .option('--limit <count>', 'at most this many', parseCount, 50),
  ).action(async (options: AuditOptions) => {
    const found = await cli.api().list<AuditRecord>('/audit', { customer: options.customer }, options.limit);
    print(options, found, () => formatAudit(found));
  });
}

function formatAudit(found: readonly AuditRecord[]): string {
  if (found.length === 0) return 'The audit log has no such records.';
  return formatTable(
    ['AT', 'WHO', 'ROLE', 'WHAT', 'CUSTOMER', 'DETAIL'],
    found.map(({ at, who, what, customer = '', ...rest }) => [
      ...[timeOf(at) ?? '', who.name, who.role, what, customer],
      detailOf(rest),
    ]),
  );
}

function detailOf({
  detail,
  secrets,
  before,
  after,
}: Pick<AuditRecord, 'detail' | 'secrets' | 'before' | 'after'>): string {
  const changed = before === undefined || after === undefined ? [] : changedFields(before, after);
  return [
    ...(changed.length > 0 ? [`fields ${changed.join(', ')}`] : []),
    ...(secrets === undefined ? [] : [`secrets ${secrets.join(', ')}`]),
    ...(detail === undefined ? [] : [JSON.stringify(detail)]),
  ].join('; ');
}

function changedFields(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).sort();
}
