/** Shell completion: commands and options as the program has them, customers as the API knows them. */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { printLine } from '../output/print.ts';

/** A shell waits for this answer. Ctrl-C ends the wait; a loaded machine may need seconds for a first HTTP request. */
const ASK_WITHIN_MS = 5_000;

/** Adds `completion <shell>`, which prints the script, and the hidden `complete`, which that script asks. */
export async function addCompletion(program: Command, cli: Cli, args: readonly string[]): Promise<void> {
  const completion = tab(program, { completionCommandName: 'completion' });
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a script for your shell')
    .hook('preAction', (_program, { args: [shell] }) => {
      if (shell === 'bash') printLine(WITHOUT_BASH_COMPLETION);
    });
  if (args[0] !== 'complete') return;
  const customers = await knownCustomers(cli);
  const offer = (names: readonly string[]) => (complete: (value: string, description: string) => void) => {
    for (const name of names) complete(name, '');
  };
  for (const command of completion.commands.values()) {
    const argument = command.arguments.get('customer');
    if (argument !== undefined) argument.handler = offer(customers);
    const file = command.options.get('file');
    if (file !== undefined) file.handler = offer(filesLike(args.at(-1) ?? ''));
  }
}

/**
 * The script asks this of the package bash-completion, which many machines lack: without it the words are those of bash
 * itself, which takes `=` and `:` for separators.
 */
const WITHOUT_BASH_COMPLETION = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
  _get_comp_words_by_ref() {
    cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
  }
fi`;

/** What `-f` may mean: the shell leaves that to us. @param typed the beginning of a path */
function filesLike(typed: string): string[] {
  const folder = typed.endsWith('/') ? typed : dirname(typed);
  const before = folder === '.' && !typed.startsWith('./') ? '' : `${folder.replace(/\/$/, '')}/`;
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || /\.(ya?ml|json)$/i.test(entry.name))
      .map((entry) => `${before}${entry.name}${entry.isDirectory() ? '/' : ''}`);
  } catch {
    return [];
  }
}

/** Empty if they are not available at once: the shell must neither wait nor show an error. */
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
