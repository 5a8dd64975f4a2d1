/** Long operations that were begun here or elsewhere. */
import type { Operation } from '@databridge/schemas/api/types';
import { type Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { progressOf, watch } from '../operation.ts';
import { type OutputOptions, print, printsList, withOutput } from '../output/output.ts';
import { formatFacts, timeOf } from '../output/print.ts';
import { parseCount } from '../parse-arguments.ts';
import { fullId, type Ids, shortened } from '../short-ids.ts';

const ID = 'as the list shows it: its beginning is enough';

const OPERATIONS: Ids = {
  ...{ path: '/operations', prefix: 'idPrefix', what: 'operations' },
  idOf: ({ id }: Operation) => id,
};

export function addLongOperations(program: Command, cli: Cli): void {
  const group = program
    .command('operations')
    .description('long operations: rewinds, redeliveries, redrives, discards and deletions');
  printsList(
    group
      .command('list')
      .description('list operations of the last days, the newest first')
      .addOption(new Option('--state <state>', 'only these').choices(['running', 'done', 'failed']))
      .option('--limit <count>', 'at most this many', parseCount, 50),
    async ({ state, limit }: { limit: number; state?: string }) =>
      await cli.api().list<Operation>('/operations', { state }, limit),
    (all) => ({
      ID: shortened(all, ({ id }) => id),
      STARTED: ({ startedAtMs }) => timeOf(startedAtMs),
      STATE: ({ state }) => state,
      WHAT: (one) => one.problem?.detail ?? progressOf(one),
    }),
    'There are no operations.',
  );
  withOutput(group.command('get').description('show one operation').argument('<id>', ID)).action(
    async (id: string, options: OutputOptions) => {
      const found = await operationOf(cli, id);
      print(options, found, () => formatOperation(found));
    },
  );
  withOutput(
    group.command('watch').description('follow the progress of an operation until it ends').argument('<id>', ID),
  ).action(async (id: string, options: OutputOptions) => {
    const found = await operationOf(cli, id);
    const ended = await watch(cli.api(), found);
    print(options, ended, () => formatOperation(ended));
  });
}

async function operationOf(cli: Cli, id: string): Promise<Operation> {
  const whole = await fullId(cli.api(), OPERATIONS, id);
  return await cli.api().get<Operation>(`/operations/${encodeURIComponent(whole)}`);
}

function formatOperation({ id, state, startedAtMs, finishedAtMs, by, result, problem, ...rest }: Operation): string {
  return formatFacts([
    ['operation', id],
    ['what', progressOf({ id, state, startedAtMs, by, ...rest })],
    ['state', state],
    ['asked by', by.name],
    ['started', timeOf(startedAtMs)],
    ...(finishedAtMs === undefined ? [] : [['finished', timeOf(finishedAtMs)] as const]),
    ...(result === undefined ? [] : [['result', JSON.stringify(result)] as const]),
    ...(problem === undefined ? [] : [['problem', `${problem.code}: ${problem.detail}`] as const]),
  ]);
}
