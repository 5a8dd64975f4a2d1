import { styleText } from 'node:util';

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function sayTitle(text: string): void {
  say(`\n${styleText('bold', text)}\n`);
}

/** The line that shows the current activity; empty where the output is no terminal. */
export interface StatusLine {
  show(text: string): void;
  clear(): void;
}

const statusLine: StatusLine = process.stdout.isTTY
  ? {
      show: (text) => process.stdout.write(`\r\x1b[2K  ${styleText('yellow', '…')} ${text}`),
      clear: () => process.stdout.write('\r\x1b[2K'),
    }
  : { show: () => undefined, clear: () => undefined };

/** Runs a step, then prints that it is done and how long it took. */
export async function step<T>(what: string, run: (status: StatusLine) => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  statusLine.show(what);
  try {
    const result = await run(statusLine);
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
    statusLine.clear();
    say(`  ${styleText('green', '✔')} ${what} ${styleText('dim', `${seconds} s`)}`);
    return result;
  } catch (error) {
    statusLine.clear();
    throw error;
  }
}

/** Returns a bar of this many characters, its parts in proportion; the rest is pale. */
export function bar(
  width: number,
  whole: number,
  parts: readonly (readonly [number, 'green' | 'yellow' | 'red'])[],
): string {
  let text = '';
  let filled = 0;
  let sum = 0;
  for (const [count, color] of parts) {
    sum += count;
    const until = whole === 0 ? 0 : Math.min(width, Math.round((sum / whole) * width));
    // What is there at all can be seen.
    const length = count > 0 ? Math.max(1, until - filled) : 0;
    const shown = Math.min(length, width - filled);
    text += styleText(color, '█'.repeat(shown));
    filled += shown;
  }
  return text + styleText('dim', '░'.repeat(width - filled));
}

export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
