/** docs/cli.md, generated from the program itself, so that they cannot differ. */
import type { Argument, Command, Option } from 'commander';
import { examplesOf } from '../examples.ts';
import { EXIT_CODES } from '../exit-code.ts';

const INTRODUCTION = `# The command line

\`databridge\` operates Databridge Events by its [API](api.md): whatever it does, curl can, too. In the repository it is
\`npx databridge …\`, whose output is that of the program alone, so that \`-o json\` can be piped; in the image, \`databridge …\`. This page is made of the program
(\`npm run reference\`).

\`\`\`
databridge login https://databridge.example       # asks for the token, stores both, readable by you only
databridge apply -f subscriptions/                # shows what would change, asks, does it
databridge status
source <(databridge completion bash)              # or zsh; fish: databridge completion fish | source
\`\`\`

- **Where and who**: \`DATABRIDGE_URL\` and \`DATABRIDGE_TOKEN\` (or \`DATABRIDGE_TOKEN_FILE\`), else what \`login\` kept in
  \`$XDG_CONFIG_HOME/databridge/credentials.json\`, mode 0600. A token that was kept for one address is sent to no other.
- **Secrets** are never arguments: they come from standard input or are typed when asked for, and \`\${NAME}\` in a file, alone
  or within a text such as \`"Bearer \${ACME_KEY}"\` or a URL, is the variable of the environment; \`$\${\` is the text \`\${\`. What is printed shows \`[secret]\`.
- **Files** contain a list under \`subscriptions\`, as [destinations](destinations.md) and [filters](filters.md) describe it.
  Applying one changes the customers that are in it, to what it says; \`state\`, if it is left out, stays as it is.
- **For programs**: \`-o json\` or \`-o yaml\`, exit codes, and \`--yes\` for what would ask at a terminal.
`;

export function referenceOf(program: Command): string {
  const codes = Object.entries(EXIT_CODES).map(([code, what]) => `| ${code} | ${what} |`);
  const sections = commandsOf(program).map(({ path, command }) => sectionOf(path, command));
  return `${[INTRODUCTION, '## Exit codes\n', '| | |\n| - | - |', ...codes].join('\n')}\n\n## Commands\n\n${sections.join('\n')}`;
}

interface Found {
  readonly path: string;
  readonly command: Command;
}

/** Those that do something, in the order of \`--help\`. */
function commandsOf(parent: Command, before = parent.name()): Found[] {
  const { commands } = parent;
  const own = parent.createHelp().visibleCommands(parent);
  return own
    .filter((command) => commands.includes(command))
    .flatMap((command) => {
      const path = `${before} ${command.name()}`;
      const below = commandsOf(command, path);
      return below.length > 0 ? below : [{ path, command }];
    });
}

function sectionOf(path: string, command: Command): string {
  const given = command.registeredArguments.map(placeOf).join('');
  const options = command.options.filter(({ hidden }) => !hidden).map(optionLine);
  const args = command.registeredArguments.filter(({ description }) => description !== '').map(argumentLine);
  const lines = [...args, ...options];
  const examples = examplesOf(path.split(' ').slice(1).join(' '));
  return `### \`${path}${given}\`\n\n${sentence(command.description())}\n${lines.length > 0 ? `\n${lines.join('\n')}\n` : ''}${examples.length > 0 ? `\n\`\`\`\n${examples.join('\n')}\n\`\`\`\n` : ''}`;
}

function placeOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? ` <${name}>` : ` [${name}]`;
}

const argumentLine = (argument: Argument) => `- \`${argument.name()}\`: ${argument.description}`;

function optionLine({ flags, description, argChoices, defaultValue, mandatory }: Option): string {
  const notes = [
    ...(argChoices ? [argChoices.join(', ')] : []),
    ...(defaultValue === undefined ? [] : [`default ${defaultValue}`]),
    ...(mandatory ? ['needed'] : []),
  ];
  return `- \`${flags}\`: ${description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
