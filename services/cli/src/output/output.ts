/** The output of a command: a table for people, JSON or YAML for programs. */
import { createRequire } from 'node:module';
import { type Command, Option } from 'commander';
import { printLine } from './print.ts';

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

/** Loaded only when somebody asks for YAML: its 70 files cost every other start a tenth of a second. */
export function toYaml(value: unknown): string {
  const { stringify } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return stringify(value, { lineWidth: 0 });
}
