import type { Command } from 'commander';
import { examplesOf } from './examples.ts';
import { createProgram } from './program.ts';

async function programThatDoesNothing(): Promise<Command> {
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

function pathsBelow(parent: Command, before: readonly string[] = []): string[] {
  const visible = parent.createHelp().visibleCommands(parent);
  return parent.commands
    .filter((command) => visible.includes(command))
    .flatMap((command) => {
      const path = [...before, command.name()];
      return command.commands.length > 0 ? pathsBelow(command, path) : [path.join(' ')];
    });
}

/** The words of a command line; what a shell would do with what follows is not ours. */
function wordsOf(example: string): string[] {
  const [own = ''] = example.split(/ [<>|] /);
  return [...own.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '').slice(1);
}

test('every command has examples, and the program takes them', async () => {
  const paths = pathsBelow(await programThatDoesNothing());
  expect(paths.length).toBeGreaterThan(30);
  for (const path of paths) {
    const examples = examplesOf(path);
    expect([path, examples.length > 0]).toEqual([path, true]);
    for (const example of examples) {
      expect(example.startsWith(`databridge ${path}`)).toBe(true);
      await (await programThatDoesNothing()).parseAsync(wordsOf(example), { from: 'user' });
    }
  }
});
