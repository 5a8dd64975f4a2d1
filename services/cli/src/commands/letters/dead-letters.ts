import { DatabridgeError } from '@databridge/kernel/errors';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../../cli.ts';
import { type OutputOptions, print, withOutput } from '../../output/output.ts';
import { formatFacts, formatTable, timeOf } from '../../output/print.ts';
import { parseCount } from '../../parse-arguments.ts';
import { fullId, fullIds, type Ids, shortIds } from '../../short-ids.ts';
import { type LetterOptions, takeOut } from './letters.ts';

interface DeadLetter {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly detail?: string;
  readonly attempts: number;
  readonly at: number;
  readonly source?: string;
}

export function addDeadLetters(program: Command, cli: Cli): void {
  const group = program.command('dead-letters').description('events that are not retried any more');
  withOutput(
    group
      .command('list')
      .description('list dead letters, the oldest first')
      .argument('<customer>')
      .option('--limit <count>', 'at most this many', parseCount, 100),
  ).action(async (customer: string, options: OutputOptions & { limit: number }) => {
    const letters = await cli.api().list<DeadLetter>(pathOf(customer, 'dead-letters'), {}, options.limit);
    print(options, letters, () => formatLetters(customer, letters));
  });
  withOutput(
    group
      .command('get')
      .description('show one dead letter: why it is not retried, and the event as the customer would receive it')
      .argument('<customer>')
      .argument('<id>', 'as the list shows it: its beginning is enough'),
  ).action(async (customer: string, id: string, options: OutputOptions) => {
    const whole = await fullId(cli.api(), lettersOf(customer), id);
    const letter = await cli.api().get<DeadLetter>(pathOf(customer, 'dead-letters', whole));
    print(options, letter, () => formatLetter(letter));
  });
  group
    .command('redrive')
    .description('send dead letters again: some of them, or all')
    .argument('<customer>')
    .argument('[id...]', 'which; all if left out')
    .option('--reason <reason...>', 'only those with one of these reasons, such as refused')
    .option('--dry-run', 'only show the number')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (customer: string, ids: string[], options: LetterOptions) => {
      await takeOutOf(cli, customer, 'redrive', ids, options);
    });
  group
    .command('discard')
    .description('discard dead letters: they are never delivered')
    .argument('<customer>')
    .argument('[id...]', 'which')
    .option('--reason <reason...>', 'those with one of these reasons')
    .option('--all', 'all of them')
    .option('--dry-run', 'only show the number')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (customer: string, ids: string[], options: LetterOptions & { all?: boolean }) => {
      const isChosen = ids.length > 0 || options.reason !== undefined;
      if (isChosen === (options.all ?? false)) {
        throw new DatabridgeError('DB_INPUT_INVALID', 'Give ids or --reason, or --all');
      }
      await takeOutOf(cli, customer, 'discard', ids, options);
    });
}

const lettersOf = (customer: string): Ids => ({
  ...{ path: pathOf(customer, 'dead-letters'), prefix: 'idPrefix', what: 'dead letters' },
  idOf: ({ id }: DeadLetter) => id,
});

async function takeOutOf(
  cli: Cli,
  customer: string,
  verb: 'redrive' | 'discard',
  given: readonly string[],
  options: LetterOptions,
): Promise<void> {
  const ids = await fullIds(cli.api(), lettersOf(customer), given);
  await takeOut(cli, { path: pathOf(customer, 'dead-letters', `${verb}s`), of: customer, verb, ids }, options);
}

function formatLetters(customer: string, letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return `${customer} has no dead letters.`;
  const short = shortIds(letters.map(({ id }) => id));
  return formatTable(
    ['AT', 'REASON', 'ATTEMPTS', 'ID', 'DETAIL'],
    letters.map(({ at, reason, attempts, id, detail = '' }) => [
      timeOf(at) ?? '',
      reason,
      attempts,
      short.get(id) ?? id,
      detail,
    ]),
  );
}

/** All facts of the API about it, the event last. */
function formatLetter({ at, ...letter }: DeadLetter): string {
  const facts = Object.entries(letter).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value),
  ]);
  return formatFacts([['at', timeOf(at) ?? ''], ...facts]);
}
