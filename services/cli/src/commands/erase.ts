import type { ErasurePlan, ErasureReceipt } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { operate } from '../operation.ts';
import { type OutputOptions, print, withOutput } from '../output/output.ts';
import { type Columns, formatFacts, formatList, timeOf } from '../output/print.ts';
import { mustConfirm } from '../output/terminal.ts';
import { parseTime } from '../parse-arguments.ts';

interface EraseOptions extends OutputOptions {
  readonly requestId: string;
  readonly from?: Date;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addErase(program: Command, cli: Cli): void {
  withOutput(
    program
      .command('erase')
      .description('erase the events of one call for all customers: never sent or shown again; prints a receipt')
      .requiredOption('--request-id <id>', 'the request id of the call, as in the field "requestid" of its events')
      .option('--from <time>', 'start of the search: older records are not searched', parseTime)
      .option('--dry-run', 'only show what it would concern')
      .option('-y, --yes', 'do not ask for confirmation'),
  ).action(async ({ requestId, from, dryRun = false, yes = false, ...options }: EraseOptions) => {
    const call = { requestId, ...(from !== undefined && { from: from.toISOString() }) };
    const plan = await cli.api().post<ErasurePlan>('/erasures', { ...call, dryRun: true });
    if (dryRun) return print(options, plan, () => formatPlan(plan));
    if (plan.events > 0) {
      await mustConfirm(`Erase ${countsOf(plan)}? This cannot be undone.`, yes);
    }
    const receipt = await operate<ErasureReceipt>(cli.api(), 'POST', '/erasures', { body: call });
    print(options, receipt, () => formatReceipt(receipt));
  });
}

function countsOf({ events, customers, remainders }: ErasurePlan): string {
  const copies = remainders.reduce((sum, one) => sum + one.copies, 0);
  const whose = customers.length === 0 ? 'of no customer' : `of ${customers.join(', ')}`;
  return `${events} ${events === 1 ? 'event' : 'events'} in ${copies} ${copies === 1 ? 'record' : 'records'} ${whose}`;
}

function formatPlan(plan: ErasurePlan): string {
  if (plan.events === 0) return 'No topic contains an event of that request id.';
  return `Would erase ${countsOf(plan)}.\n\n${formatList(plan.remainders, REMAINDER_COLUMNS)}`;
}

function formatReceipt(receipt: ErasureReceipt): string {
  const { request, erasedAtMs, fromMs, events, customers, deadLetters, quarantined, removed, remainders } = receipt;
  const facts = formatFacts([
    ['erased at', timeOf(erasedAtMs)],
    ['request digest', request],
    ...(fromMs === undefined ? [] : [['searched from', timeOf(fromMs)] as const]),
    ['events', String(events)],
    ['customers', customers.join(', ') || 'none'],
    ['removed', `${removed} records; of these, ${deadLetters} were dead letters and ${quarantined} in quarantine`],
  ]);
  const aside = [
    'From now on no worker sends these events, and no command, page or route shows them.',
    remainders.length === 0
      ? 'No topic contains their bytes any more.'
      : 'These topics still contain their bytes, which nothing of this service reads:',
  ];
  const beyond = 'Not covered: what destinations received before, backups of Kafka, and the systems of the producers.';
  return [facts, aside.join('\n'), ...(remainders.length === 0 ? [] : [formatKept(remainders)]), beyond].join('\n\n');
}

/** In words, as docs/privacy.md explains them. */
const BECAUSE: Readonly<Record<string, string>> = {
  intake: 'it belongs to the producers',
  'earlier-version': 'records of an earlier version',
  'copies-wait': 'repeated records wait; erase again later',
  refused: 'Kafka refused to change settings',
  'time-out': 'not compacted in time; erase again',
};

function formatKept(remainders: ErasureReceipt['remainders']): string {
  const table = formatList(remainders, {
    ...REMAINDER_COLUMNS,
    BECAUSE: ({ because }) => BECAUSE[because] ?? because,
  });
  const places = remainders.flatMap(({ topic, places = [] }) => places.map((place) => `${topic}/${place}`));
  return places.length === 0 ? table : `${table}\n\nAt the intake: ${places.join(', ')}`;
}

const REMAINDER_COLUMNS: Columns<ErasurePlan['remainders'][number]> = {
  TOPIC: ({ topic }) => topic,
  RECORDS: ({ copies }) => copies,
  'DELETED BY KAFKA': ({ deletedByMs }) =>
    deletedByMs === undefined ? 'no limit in the settings of the topic' : `until ${timeOf(deletedByMs)}`,
};
