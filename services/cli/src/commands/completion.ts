/**
 * Shell completion: the program's commands and options, the API's customers, and the shell's own completion of files.
 */
import { script } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { printLine } from '../output/print.ts';

/** A shell waits for this answer. Ctrl-C ends the wait; a loaded machine may need seconds for a first HTTP request. */
const ASK_WITHIN_MS = 5_000;

/** Adds `completion <shell>`, which prints the script, and the hidden `complete`, which that script asks. */
export async function addCompletion(program: Command, cli: Cli, args: readonly string[]): Promise<void> {
  const completion = tab(program, { completionCommandName: 'completion' });
  const commandNamed = (name: string) => program.commands.find((command) => command.name() === name);
  commandNamed('completion')
    ?.description('print a script for your shell')
    .action((shell: string) => printLine(scriptFor(shell)));
  if (args[0] !== 'complete') return;
  if (isOfPath(program, args)) {
    commandNamed('complete')?.action(() => printLine(BY_SHELL));
    return;
  }
  const customers = await knownCustomers(cli);
  for (const command of completion.commands.values()) {
    const argument = command.arguments.get('customer');
    if (argument === undefined) continue;
    argument.handler = (complete) => {
      for (const name of customers) complete(name, '');
    };
  }
}

/** The directive with which the scripts let the shell complete paths itself. */
const BY_SHELL = ':0';
/** The names of option values that are paths. */
const PATH_VALUE = /<(?:file|directory)>$/;

/** Returns whether the last word is the value of an option that names a file or a directory. */
function isOfPath(program: Command, args: readonly string[]): boolean {
  const [before = '', last = ''] = args.slice(-2);
  const option = last.startsWith('--') ? last.split('=')[0] : before;
  const commands = (of: Command): Command[] => [of, ...of.commands.flatMap((one) => commands(one as Command))];
  const options = commands(program).flatMap((command) => command.options);
  const isTakingValue = !last.startsWith('--') || last.includes('=');
  return (
    isTakingValue &&
    options.some(({ short, long, flags }) => {
      return (short === option || long === option) && PATH_VALUE.test(flags);
    })
  );
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
/** Without the option, bash completes no paths where a function completes. */
const WITH_PATHS = 'complete -o default -F __databridge_complete databridge';
/** A zsh without it has no completion at all, for no program. */
const WITH_COMPINIT = '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }';

function scriptFor(shell: string): string {
  const text = scriptOfLibrary(shell);
  switch (shell) {
    case 'bash':
      // They are not constants: if the script is read twice, constants would be errors.
      return [WITHOUT_BASH_COMPLETION, text.replaceAll(/^readonly /gm, ''), WITH_PATHS].join('\n');
    case 'zsh':
      // zsh finds it in a file by its first line.
      return text.replace('\n', `\n${WITH_COMPINIT}\n`);
    default:
      return text;
  }
}

/** Printing is all that it does. */
function scriptOfLibrary(shell: string): string {
  const { log } = console;
  let text = '';
  console.log = (printed: string) => {
    text = printed;
  };
  try {
    script(shell, 'databridge', 'databridge');
  } finally {
    console.log = log;
  }
  return text;
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
