/** Shell completion: commands and options as the program has them, customers as the API knows them. */
import { readdirSync } from 'node:fs';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';

/** A shell waits while somebody looks at it. */
const ASK_WITHIN_MS = 1_000;

/** Adds `completion <shell>`, which prints the script, and the hidden `complete`, which that script asks. */
export async function addCompletion(program: Command, cli: Cli, args: readonly string[]): Promise<void> {
  const completion = tab(program, { completionCommandName: 'completion' });
  program.commands.find((command) => command.name() === 'completion')?.description('print a script for your shell');
  if (args[0] !== 'complete') return;
  const customers = await knownCustomers(cli);
  const offer = (names: readonly string[]) => (complete: (value: string, description: string) => void) => {
    for (const name of names) complete(name, '');
  };
  for (const command of completion.commands.values()) {
    const argument = command.arguments.get('customer');
    if (argument !== undefined) argument.handler = offer(customers);
    const file = command.options.get('file');
    if (file !== undefined) file.handler = offer(filesHere());
  }
}

/** What `-f` may mean: the shell leaves that to us. */
function filesHere(): string[] {
  try {
    return readdirSync('.', { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || /\.(ya?ml|json)$/i.test(entry.name))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** None, if they can't be had at once: what is typed next must not wait, nor see an error. */
async function knownCustomers(cli: Cli): Promise<string[]> {
  try {
    const asked = cli.api().call<{ items: { customer: string }[] }>('GET', '/subscriptions', {
      query: { limit: 1_000 },
      signal: AbortSignal.timeout(ASK_WITHIN_MS),
    });
    return (await asked).body.items.map(({ customer }) => customer);
  } catch {
    return [];
  }
}
