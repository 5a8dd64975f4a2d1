/** The commands that documents show, as a reader would type them. */
import { readFileSync } from 'node:fs';

export interface DocumentedCommand {
  /** Without the comment behind it. */
  readonly text: string;
  /** In a block, or a cell of a table, of its own: it is typed. Else within a sentence, which may only name a command. */
  readonly isTyped: boolean;
}

const root = new URL('../../', import.meta.url);

/** @param page such as `docs/cli.md`; what its headings and sentences say with `<…>` or `[…]` is a form, not a command */
export function commandsOf(page: string): DocumentedCommand[] {
  const text = readFileSync(new URL(page, root), 'utf8');
  const found: DocumentedCommand[] = [];
  let isInBlock = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) isInBlock = !isInBlock;
    else if (isInBlock) {
      const typed = /^(?:npx )?(databridge .*?)(?:\s+#.*)?$/.exec(line.trim())?.[1];
      // The diagram in the README is a block as well.
      if (typed !== undefined && !/[▶─]/.test(typed)) found.push({ text: typed, isTyped: true });
    } else if (!line.startsWith('#')) {
      const isRow = /^\|[^|]*\|(?: *`[^`]+`,?)+ *\|$/.test(line);
      for (const [, named = ''] of line.matchAll(/`(?:npx )?(databridge [a-z][^`]*)`/g)) {
        if (!/[<[…]/.test(named)) found.push({ text: named, isTyped: isRow });
      }
    }
  }
  return found;
}

/** The words of a command; what a shell does with `<`, `>` and `|` is not the program's. The first is `databridge`. */
export function wordsOf(command: string): string[] {
  const [own = ''] = command.split(/ [<>|] /);
  return [...own.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, word]) => single ?? double ?? word ?? '',
  );
}

/** The files that a shell would read and write for it. */
export function redirectsOf(command: string): { readonly from?: string; readonly into?: string } {
  const from = / < (\S+)/.exec(command)?.[1];
  const into = / > (\S+)/.exec(command)?.[1];
  return { ...(from !== undefined && { from }), ...(into !== undefined && { into }) };
}
