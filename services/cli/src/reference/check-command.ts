/** Checks that command lines in examples and runbooks are ones that the program takes, without running them. */
import type { Command } from 'commander';
import { createProgram } from '../program.ts';

/** The program with its parser, whose commands do nothing, and whose mistakes are thrown. */
export async function programThatDoesNothing(): Promise<Command> {
  const unused = () => {
    throw new Error('nothing is asked');
  };
  const program = await createProgram({ env: {}, api: unused, notWell: unused }, []);
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(silence);
  };
  silence(program);
  return program;
}

/** The words of a command line; what a shell would do with what follows is not ours. */
function wordsOf(line: string): string[] {
  const [own = ''] = line.split(/ [<>|] /);
  return [...own.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '').slice(1);
}

/** @throws CommanderError what is wrong with it */
export async function checkCommand(line: string): Promise<void> {
  await (await programThatDoesNothing()).parseAsync(wordsOf(line), { from: 'user' });
}
