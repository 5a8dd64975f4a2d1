import type { Command } from 'commander';
import { examplesOf } from './examples.ts';
import { checkCommand, programThatDoesNothing } from './reference/check-command.ts';

function pathsBelow(parent: Command, before: readonly string[] = []): string[] {
  const visible = parent.createHelp().visibleCommands(parent);
  return parent.commands
    .filter((command) => visible.includes(command))
    .flatMap((command) => {
      const path = [...before, command.name()];
      return command.commands.length > 0 ? pathsBelow(command, path) : [path.join(' ')];
    });
}

test('every command has examples, and the program takes them', async () => {
  const paths = pathsBelow(await programThatDoesNothing());
  expect(paths.length).toBeGreaterThan(30);
  for (const path of paths) {
    const examples = examplesOf(path);
    expect([path, examples.length > 0]).toEqual([path, true]);
    for (const example of examples) {
      expect(example.startsWith(`databridge ${path}`)).toBe(true);
      await checkCommand(example);
    }
  }
});
