import type { AuditRecord } from '@databridge/schemas/records/audit';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { printsList } from '../../output/output.ts';
import { timeOf } from '../../output/print.ts';
import { parseCount } from '../../parse-arguments.ts';

export function addAudit(program: Command, cli: Cli): void {
  printsList(
    program
      .command('audit')
      .description(
        'list all changes and who made them, the newest first; -o yaml shows the subscriptions before and after',
      )
      .option('--customer <customer>', 'only for this customer')
      .option('--limit <count>', 'at most this many', parseCount, 50),
    async ({ customer, limit }: { customer?: string; limit: number }) =>
      await cli.api().list<AuditRecord>('/audit', { customer }, limit),
    {
      AT: ({ at }) => timeOf(at),
      WHO: ({ who }) => who.name,
      ROLE: ({ who }) => who.role,
      WHAT: ({ what }) => what,
      CUSTOMER: ({ customer = '' }) => customer,
      DETAIL: detailOf,
    },
    'The audit log has no such records.',
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
