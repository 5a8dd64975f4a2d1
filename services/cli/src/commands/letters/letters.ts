/** Takes letters out of the dead letters or the quarantine: shows the counts, asks, and then does it with progress. */
import type { Cli } from '../../cli.ts';
import { operate } from '../../operation.ts';
import { printLine } from '../../output/print.ts';
import { confirm, DeclinedError, isAttended, mustConfirm } from '../../output/terminal.ts';

export interface TakenOut {
  readonly taken: number;
  readonly stayed: number;
  readonly stillUnreadable?: number;
}

interface Count {
  readonly chosen: number;
  readonly byReason: Readonly<Record<string, number>>;
}

export interface LetterOptions {
  readonly reason?: string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export interface LetterTask {
  /** The path below `/v1`. */
  readonly path: string;
  /** The owner of the letters, such as `acme`. */
  readonly of: string;
  readonly verb: 'redrive' | 'discard';
  readonly ids: readonly string[];
}

/** Shows the counts, asks if a person is at the terminal, and takes the letters out. */
export async function takeOut(cli: Cli, { path, of, verb, ids }: LetterTask, options: LetterOptions): Promise<void> {
  const { reason, dryRun = false, yes = false, force = false } = options;
  const body = {
    ...(ids.length > 0 && { ids }),
    ...(reason !== undefined && { reasons: reason }),
    ...(force && { force }),
  };
  const count = await cli.api().post<Count>(path, { ...body, dryRun: true });
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
      ? [`${stillUnreadable} stay, since they still can not be read (--force puts them back)`]
      : []),
    ...(others > 0 ? [`${others} stay, since they hold no event that could be sent`] : []),
  ];
  printLine(`${parts.join('; ')}.`);
}
