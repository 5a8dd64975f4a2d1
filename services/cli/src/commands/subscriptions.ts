import type { ListedSubscription, Subscription } from '@databridge/schemas/api/types';
import { FIELD_RIGHTS } from '@databridge/schemas/rights/field-rights';
import { EVERYTHING } from '@databridge/schemas/subscription/routing';
import { type Command, Option } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { operate } from '../operation.ts';
import { print, printsList, toYaml } from '../output/output.ts';
import { printLine } from '../output/print.ts';
import { mustConfirm } from '../output/terminal.ts';
import { destinationColumns } from './destination-columns.ts';
import { addFilterTrial } from './try-filter.ts';

export function addSubscriptions(program: Command, cli: Cli): void {
  const group = program
    .command('subscriptions')
    .description('which events each customer gets, where they are sent, and how fast');
  printsList(
    group.command('list').description('list all subscriptions, one per line'),
    async () => await cli.api().list<ListedSubscription>('/subscriptions'),
    async () => ({
      CUSTOMER: ({ customer }) => customer,
      STATE: ({ effectiveState }) => effectiveState,
      'EVENT TYPES': ({ eventTypes }) => eventTypes.join(','),
      COMPANIES: ({ match }) => companiesOf(match),
      ...(await destinationColumns()),
      FILTER: ({ filter }) => (filter === undefined ? '' : 'yes'),
    }),
    'None. "databridge apply -f subscriptions.yaml" brings some.',
  );
  group
    .command('get')
    .description('show one subscription, with masked secrets; "apply" accepts the YAML and keeps the stored secrets')
    .argument('<customer>')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .action(async (customer: string, { output }: { output: 'yaml' | 'json' }) => {
      const found = await cli.api().get<Record<string, unknown>>(pathOf(customer));
      const { enableEpoch: _, ...declared } = found;
      if (output === 'json') print({ output }, found, String);
      else process.stdout.write(toYaml({ subscriptions: [declared] }));
    });
  group
    .command('export')
    .description('print subscriptions as a file for "apply"; secrets are masked, and "apply" keeps the stored ones')
    .argument('[customer...]', 'which; default: all')
    .action(async (customers: string[]) => {
      const names =
        customers.length > 0
          ? customers
          : (await cli.api().list<ListedSubscription>('/subscriptions')).map(({ customer }) => customer);
      const subscriptions = [];
      for (const name of names) subscriptions.push(await declaredBy(cli, name));
      process.stdout.write(toYaml({ subscriptions }));
    });
  printsList(
    group.command('fields').description('show which roles may set which field; does not use the API'),
    async () => Object.entries(FIELD_RIGHTS).map(([field, { owner, rule }]) => ({ field, owner, rule })),
    { FIELD: ({ field }) => field, OWNER: ({ owner }) => owner, RULE: ({ rule }) => rule },
  );
  for (const parent of [group, program]) {
    // Also without the word before it: people type this command most.
    parent
      .command('apply')
      .description(
        'apply subscriptions from files, after showing what would change; other customers stay unless --prune',
      )
      .requiredOption('-f, --file <file>', 'a file, a directory of .yaml and .json files, or - for standard input')
      .option('-y, --yes', 'do not ask for confirmation; needed where there is no terminal')
      .option('--prune', 'also delete the customers that no file names')
      .addOption(waitingOption('with --prune: what happens to waiting events and dead letters'))
      .action(async (options) => await (await import('./apply.ts')).apply(cli, options));
  }
  group
    .command('diff')
    .description('show what "apply" would change; exit code 1 if there are changes')
    .requiredOption('-f, --file <file>', 'a file, a directory of .yaml and .json files, or - for standard input')
    .option('--prune', 'also show the customers that no file names')
    .action(async (options) => await (await import('./apply.ts')).showDifferences(cli, options));
  group
    .command('delete')
    .description('delete a subscription with its topics and its consumer group')
    .argument('<customer>')
    .addOption(waitingOption('what happens to waiting events and dead letters; required if there are any'))
    .option('-y, --yes', 'do not ask for confirmation; needed where there is no terminal')
    .action(
      async (customer: string, options: { waiting?: string; yes?: boolean }) => await remove(cli, customer, options),
    );
  addFilterTrial(group, cli);
}

/** In the form of a file. */
async function declaredBy(cli: Cli, customer: string): Promise<Record<string, unknown>> {
  const { enableEpoch: _, ...declared } = await cli.api().get<Record<string, unknown>>(pathOf(customer));
  return declared;
}

const waitingOption = (description: string) => new Option('--waiting <what>', description).choices(['discard', 'keep']);

function companiesOf(match: ListedSubscription['match']): string {
  return match === EVERYTHING || match.company === EVERYTHING ? 'EVERYTHING (!)' : match.company.join(',');
}

async function remove(
  cli: Cli,
  customer: string,
  { waiting, yes = false }: { waiting?: string; yes?: boolean },
): Promise<void> {
  const api = cli.api();
  const { etag, body } = await api.call<Subscription>('GET', pathOf(customer));
  const what =
    { discard: 'waiting events are discarded', keep: 'waiting events are kept' }[waiting ?? ''] ??
    'no events may be waiting';
  await mustConfirm(`Delete ${body.customer}, which is ${body.state}? Nothing more is sent, ${what}.`, yes);
  // Who has seen it decides: not about what somebody made of it meanwhile.
  await operate(api, 'DELETE', pathOf(customer), { query: { waiting }, headers: { 'if-match': etag ?? '*' } });
  printLine(`${customer} is deleted.`);
}
