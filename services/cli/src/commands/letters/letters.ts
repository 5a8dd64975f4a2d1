/** Takes letters out of the dead letters or the quarantine: shows the counts, asks, and then does it with progress. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { LetterCount, Operation, Routes } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { operate } from '../../operation.ts';
import { formatFacts, printLine, timeOf } from '../../output/print.ts';
import { confirm, DeclinedError, isAttended, mustConfirm } from '../../output/terminal.ts';
import { fullIds, type Ids } from '../../short-ids.ts';

type TakenOut = Exclude<Routes['POST /v1/quarantine/redrives']['answer'], LetterCount | Operation>;

export interface LetterOptions {
  readonly reason?: string[];
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

interface LetterTask {
  /** The path below `/v1`. */
  readonly path: string;
  /** The owner of the letters, such as `acme`. */
  readonly of: string;
  readonly verb: 'redrive' | 'discard';
  readonly ids: readonly string[];
}

/** A kind of letters that commands take out. */
export interface LetterKind {
  /** What each command does, for its help. */
  readonly describe: Readonly<Record<LetterTask['verb'], string>>;
  /** An example of a reason, for the help. */
  readonly reason: string;
  /** True if letters that still cannot be read may be redriven all the same. */
  readonly canForce: boolean;
  /** True if the first argument is the customer whose letters they are. */
  readonly isOfCustomer: boolean;
  /** How the ids are looked up. @param customer '' for letters of no customer */
  readonly idsOf: (customer: string) => Ids;
}

/** Adds the commands `redrive` and `discard`. */
export function addTakingOut(group: Command, cli: Cli, kind: LetterKind): void {
  for (const verb of ['redrive', 'discard'] as const) {
    const command = group.command(verb).description(kind.describe[verb]);
    if (kind.isOfCustomer) command.argument('<customer>');
    command
      .argument('[id...]', verb === 'redrive' ? 'which; default: all' : 'which')
      .option('--reason <reason...>', `only those with one of these reasons, such as ${kind.reason}`);
    if (verb === 'discard') command.option('--all', 'all of them');
    if (verb === 'redrive' && kind.canForce) command.option('--force', 'include records that still cannot be read');
    command
      .option('--dry-run', 'only show the number')
      .option('-y, --yes', 'do not ask for confirmation')
      .action(async (...given) => {
        const customer = kind.isOfCustomer ? (given.shift() as string) : '';
        const [ids, options] = given as [string[], LetterOptions];
        const isChosen = ids.length > 0 || options.reason !== undefined;
        if (verb === 'discard' && isChosen === (options.all ?? false)) {
          throw new DatabridgeError('DB_INPUT_INVALID', 'Give ids or --reason, or --all');
        }
        const letters = kind.idsOf(customer);
        const whole = await fullIds(cli.api(), letters, ids);
        const of = kind.isOfCustomer ? customer : group.name();
        await takeOut(cli, { path: `${letters.path}/${verb}s`, of, verb, ids: whole }, options);
      });
  }
}

/** Shows the counts, asks if a person is at the terminal, and takes the letters out. */
export async function takeOut(cli: Cli, { path, of, verb, ids }: LetterTask, options: LetterOptions): Promise<void> {
  const { reason, dryRun = false, yes = false, force = false } = options;
  const body = {
    ...(ids.length > 0 && { ids }),
    ...(reason !== undefined && { reasons: reason }),
    ...(force && { force }),
  };
  const count = await cli.api().post<LetterCount>(path, { ...body, dryRun: true });
  const byReason = Object.entries(count.byReason).map(([name, many]) => `${many} ${name}`);
  const found = `${count.chosen} records${byReason.length > 0 ? ` (${byReason.join(', ')})` : ''}`;
  if (count.chosen === 0) return printLine(`${of}: there is nothing to ${verb}.`);
  if (dryRun) return printLine(`${of}: would ${verb} ${found}.`);
  if (verb === 'discard') {
    await mustConfirm(`${of}: discard ${found}? They cannot be redriven afterwards.`, yes);
  } else if (!yes && isAttended() && !(await confirm(`${of}: redrive ${found}?`))) {
    throw new DeclinedError();
  }
  const { taken, stayed, stillUnreadable = 0 } = await operate<TakenOut>(cli.api(), 'POST', path, { body });
  const others = stayed - stillUnreadable;
  const parts = [
    `${of}: ${taken} ${verb === 'discard' ? 'discarded' : 'redriven'}`,
    ...(stillUnreadable > 0
      ? [`${stillUnreadable} stay, since they still cannot be read (--force puts them back)`]
      : []),
    ...(others > 0 ? [`${others} stay, since they contain no event that could be sent`] : []),
  ];
  printLine(`${parts.join('; ')}.`);
}

/** All facts of the API about one letter. */
export function formatLetter({ at, ...letter }: { readonly at: number }): string {
  const facts = Object.entries(letter).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value),
  ]);
  return formatFacts([['at', timeOf(at)], ...facts]);
}
