/** Long operations that were begun here or elsewhere. */
import { type Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { progressOf, type ShownOperation, watch } from '../operation.ts';
import { type OutputOptions, print, withOutput } from '../output/output.ts';
import { formatFacts, formatTable, timeOf } from '../output/print.ts';
import { parseCount } from '../parse-arguments.ts';
import { fullId, type Ids, shortIds } from '../short-ids.ts';

const ID = 'as the list shows it: its beginning is enough';

const OPERATIONS: Ids = {
  ...{ path: '/operations', prefix: 'idPrefix', what: 'operations' },
  idOf: ({ id }: ShownOperation) => id,
};

export function addLongOperations(program: Command, cli: Cli): void {
  const group = program
    .command('operations')
    .description('long operations: rewinds, redeliveries, redrives, discards and deletions');
  withOutput(
    group
      .command('list')
      .description('list operations of the last days, the newest first')
      .addOption(new Option('--state <state>', 'only these').choices(['running', 'done', 'failed']))
      .option('--limit <count>', 'at most this many', parseCount, 50),
  ).action(async (options: OutputOptions & { limit: number; state?: string }) => {
    const found = await cli.api().list<ShownOperation>('/operations', { state: options.state }, options.limit);
    print(options, found, () => formatOperations(found));
  });
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

async function operationOf(cli: Cli, id: string): Promise<ShownOperation> {
  const whole = await fullId(cli.api(), OPERATIONS, id);
  return await cli.api().get<ShownOperation>(`/operations/${encodeURIComponent(whole)}`);
}

function formatOperations(found: readonly ShownOperation[]): string {
  if (found.length === 0) return 'There are no operations.';
  const short = shortIds(found.map(({ id }) => id));
  return formatTable(
    ['ID', 'STARTED', 'STATE', 'WHAT'],
    found.map((one) => [
      short.get(one.id) ?? one.id,
      timeOf(one.startedAtMs) ?? '',
      one.state,
      one.problem?.detail ?? progressOf(one),
    ]),
  );
}

function formatOperation({
  id,
  state,
  startedAtMs,
  finishedAtMs,
  by,
  result,
  problem,
  ...rest
}: ShownOperation): string {
  return formatFacts([
    ['operation', id],
    ['what', progressOf({ id, state, startedAtMs, by, ...rest })],
    ['state', state],
    ['asked by', by.name],
    ['started', timeOf(startedAtMs) ?? ''],
    ...(finishedAtMs === undefined ? [] : [['finished', timeOf(finishedAtMs) ?? ''] as const]),
    ...(result === undefined ? [] : [['result', JSON.stringify(result)] as const]),
    ...(problem === undefined ? [] : [['problem', `${problem.code}: ${problem.detail}`] as const]),
  ]);
}
