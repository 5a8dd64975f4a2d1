/** Commands in a shell, as a person types them, with their output line by line; ended by Ctrl-C after the test file. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export type Terminal = ChildProcessByStdio<null, Readable, Readable>;
const terminals: Terminal[] = [];

/** Its output, error output included, a line at a time. */
export function openTerminal(
  commands: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): { lines: AsyncIterator<string>; terminal: Terminal } {
  const terminal = spawn('bash', ['--norc', '-e', '-c', `exec 2>&1\n${commands}`], {
    ...{ cwd, env, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  terminals.push(terminal);
  return { terminal, lines: createInterface(terminal.stdout)[Symbol.asyncIterator]() };
}

/** @returns all lines until one that matches, that one included */
export async function readUntil(lines: AsyncIterator<string>, pattern: RegExp): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`It ended before a line that matches ${pattern}:\n${seen.join('\n')}`);
    seen.push(value);
    if (pattern.test(value)) return seen;
  }
}

/** Ends all of them by Ctrl-C, for all that runs in them, the last one first. */
export async function closeTerminals(): Promise<void> {
  for (const terminal of terminals.reverse()) {
    if (terminal.exitCode !== null || terminal.signalCode !== null) continue;
    const closed = once(terminal, 'close');
    process.kill(-(terminal.pid as number), 'SIGINT');
    await closed;
  }
}
