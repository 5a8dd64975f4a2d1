/** The output of a command: a table for people, JSON or YAML for programs. */
import { createRequire } from 'node:module';
import { type Command, Option } from 'commander';
import { type Columns, formatList, printLine } from './print.ts';

const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

export interface OutputOptions {
  readonly output?: Format;
  readonly json?: boolean;
}

/** Adds the option `-o`. */
export function withOutput(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'output format').choices([...FORMATS]).default('table'))
    .addOption(new Option('--json', 'the same as -o json').hideHelp());
}

export const formatOf = ({ output = 'table', json }: OutputOptions): Format => (json ? 'json' : output);

/** @param asText renders for people; called only for them */
export function print(options: OutputOptions, value: unknown, asText: () => string): void {
  const format = formatOf(options);
  if (format === 'json') printLine(JSON.stringify(value, null, 2));
  else if (format === 'yaml') process.stdout.write(toYaml(value));
  else printLine(asText());
}

/**
 * Makes of a command one that prints a list.
 * @param itemsOf gets the command's arguments and its options, the last of them
 * @param columns of the table for people; a function if they depend on the items, as abbreviated ids do
 * @param ifNone the text for people if the list is empty
 */
export function printsList<Given extends unknown[], Item>(
  command: Command,
  itemsOf: (...given: Given) => Promise<readonly Item[]>,
  columns: Columns<Item> | ((items: readonly Item[]) => Columns<Item> | Promise<Columns<Item>>),
  ifNone?: string,
): void {
  withOutput(command).action(async (...given) => {
    // After its arguments, commander passes the options and the command itself.
    const options = given.at(-2) as OutputOptions;
    const items = await itemsOf(...(given.slice(0, -1) as Given));
    const shown = typeof columns === 'function' ? await columns(items) : columns;
    print(options, items, () => formatList(items, shown, ifNone));
  });
}

/** Loaded only when somebody asks for YAML: its 70 files cost every other start a tenth of a second. */
export function toYaml(value: unknown): string {
  const { stringify } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return stringify(value, { lineWidth: 0 });
}
