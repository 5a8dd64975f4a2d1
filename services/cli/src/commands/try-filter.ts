import { DatabridgeError } from '@databridge/kernel/errors';
import type { Routes } from '@databridge/schemas/api/types';
import type { Command } from 'commander';
import { type Cli, pathOf } from '../cli.ts';
import { readJson } from '../files/read-input.ts';
import { type OutputOptions, print, withOutput } from '../output/output.ts';

interface TrialOptions extends OutputOptions {
  readonly file: string;
  readonly filter?: string;
  readonly eventType?: string;
}

type Verdict = Routes['POST /v1/filters/try']['answer'];

export function addFilterTrial(group: Command, cli: Cli): void {
  withOutput(
    group
      .command('try-filter')
      .description('test whether a filter accepts an event; exit code 1 if it does not')
      .argument('[customer]', 'the customer whose filter is tested; or give --filter')
      .requiredOption('-f, --file <file>', 'the event, as JSON; - is standard input')
      .option('--filter <expression>', 'the filter itself, such as \'event.summary.folder == "Support"\'')
      .option('--event-type <name>', 'the event type; may be omitted while there is only one besides notices'),
  ).action(async (customer: string | undefined, options: TrialOptions) => {
    if ((customer === undefined) === (options.filter === undefined)) {
      throw new DatabridgeError('DB_INPUT_INVALID', 'Give either a customer, or --filter');
    }
    const event = readJson(options.file);
    const asked = customer === undefined ? { filter: options.filter } : await filterOf(cli, customer);
    const eventType = options.eventType ?? asked.eventType;
    const verdict: Verdict =
      asked.filter === undefined
        ? { matches: true }
        : await cli.api().post<Verdict>('/filters/try', {
            filter: asked.filter,
            event,
            ...(eventType !== undefined && { eventType }),
          });
    print(options, verdict, () => (asked.filter === undefined ? `${customer} has no filter.` : inWords(verdict)));
    if (!verdict.matches) cli.notWell();
  });
}

async function filterOf(cli: Cli, customer: string): Promise<{ filter: string | undefined; eventType?: string }> {
  const { filter, eventTypes } = await cli.api().get<{ filter?: string; eventTypes: string[] }>(pathOf(customer));
  const [eventType] = eventTypes;
  return { filter, ...(eventType !== undefined && { eventType }) };
}

function inWords({ matches, lacks, error }: Verdict): string {
  if (error !== undefined) return `Nobody can say (${error}): the event is delivered, logged and counted.`;
  if (matches) return 'It matches: the event is delivered.';
  return `It does not match${lacks === undefined ? '' : `: the event has no "${lacks}"`}.`;
}
