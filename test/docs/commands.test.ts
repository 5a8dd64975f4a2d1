/** Every `databridge …` in the documents is a command that the program takes. */
import { readdirSync } from 'node:fs';
import { createProgram } from '@databridge/cli/program';
import { commandsOf, wordsOf } from '../harness/documented-commands.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(new URL('../../docs/', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** What a sentence leaves out when it only names a command. */
const INCOMPLETE = new Set(['commander.missingArgument', 'commander.missingMandatoryOptionValue']);

type Command = Awaited<ReturnType<typeof createProgram>>;

async function programThatDoesNothing(): Promise<Command> {
  const unused = () => {
    throw new Error('nothing is asked');
  };
  const program = await createProgram({ env: {}, api: unused, notWell: unused }, []);
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    for (const one of command.commands) silence(one as Command);
  };
  silence(program);
  return program;
}

async function mistakeIn(words: readonly string[], isTyped: boolean): Promise<string | undefined> {
  try {
    await (await programThatDoesNothing()).parseAsync(words.slice(1), { from: 'user' });
    return undefined;
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (!code.startsWith('commander.')) throw error;
    const isNamed = !isTyped && (INCOMPLETE.has(code) || code === 'commander.help');
    return isNamed ? undefined : message;
  }
}

test.each(pages)('%s', async (page) => {
  const mistakes: string[] = [];
  for (const { text, isTyped } of commandsOf(page)) {
    const mistake = await mistakeIn(wordsOf(text), isTyped);
    if (mistake !== undefined) mistakes.push(`${text}: ${mistake}`);
  }
  expect(mistakes).toEqual([]);
});

test('the guides of operators and of the command line have commands to type', () => {
  const typed = (page: string) => commandsOf(page).filter(({ isTyped }) => isTyped);
  expect(typed('docs/operations.md').length).toBeGreaterThan(30);
  expect(typed('docs/cli.md').length).toBeGreaterThan(60);
});
