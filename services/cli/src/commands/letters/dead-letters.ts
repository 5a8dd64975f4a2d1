import type { DeadLetterInside, Routes } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../../cli.ts';
import { type OutputOptions, print, printsList, withOutput } from '../../output/output.ts';
import { timeOf } from '../../output/print.ts';
import { parseCount } from '../../parse-arguments.ts';
import { fullId, type Ids, shortened } from '../../short-ids.ts';
import { addTakingOut, formatLetter } from './letters.ts';

type DeadLetter = Routes['GET /v1/subscriptions/{customer}/dead-letters']['answer']['items'][number];

export function addDeadLetters(program: Command, cli: Cli): void {
  const group = program.command('dead-letters').description('events that are not retried any more');
  printsList(
    group
      .command('list')
      .description('list dead letters, the oldest first')
      .argument('<customer>')
      .option('--limit <count>', 'at most this many', parseCount, 100),
    async (customer: string, { limit }: { limit: number }) =>
      await cli.api().list<DeadLetter>(pathOf(customer, 'dead-letters'), {}, limit),
    (all) => ({
      AT: ({ at }) => timeOf(at),
      REASON: ({ reason }) => reason,
      ATTEMPTS: ({ attempts }) => attempts,
      ID: shortened(all, ({ id }) => id),
      DETAIL: ({ detail = '' }) => detail,
    }),
    'There are no dead letters.',
  );
  withOutput(
    group
      .command('get')
      .description('show one dead letter: why it is not retried, and the event as the customer would receive it')
      .argument('<customer>')
      .argument('<id>', 'as the list shows it: its beginning is enough'),
  ).action(async (customer: string, id: string, options: OutputOptions) => {
    const whole = await fullId(cli.api(), lettersOf(customer), id);
    const letter = await cli.api().get<DeadLetterInside>(pathOf(customer, 'dead-letters', whole));
    print(options, letter, () => formatLetter(letter));
  });
  addTakingOut(group, cli, {
    ...{ isOfCustomer: true, idsOf: lettersOf, reason: 'refused', canForce: false },
    describe: {
      redrive: 'send dead letters again: some of them, or all',
      discard: 'discard dead letters: they are never delivered',
    },
  });
}

const lettersOf = (customer: string): Ids => ({
  ...{ path: pathOf(customer, 'dead-letters'), prefix: 'idPrefix', what: 'dead letters' },
  idOf: ({ id }: DeadLetter) => id,
});
