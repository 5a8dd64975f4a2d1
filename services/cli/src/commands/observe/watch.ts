/** Repeats the output of a command until Ctrl-C. */
import { pause } from '@databridge/kernel/time/pause';
import { UnreachableError } from '../../api/api-error.ts';
import { timeOf } from '../../output/print.ts';

/** Moves the cursor to the top left, and clears everything below it. */
const CLEAR = '\u001b[H\u001b[2J';

/**
 * On a terminal each view replaces the one before; elsewhere they follow one another. A control plane that goes away is
 * waited for, unless it was never there.
 * @throws what the first view throws
 */
export async function repeat(everyMs: number, show: () => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  let isFirst = true;
  try {
    while (!ending.signal.aborted) {
      try {
        await show();
      } catch (error) {
        if (isFirst || !(error instanceof UnreachableError)) throw error;
        process.stderr.write(`${error.message}; trying again\n`);
      }
      isFirst = false;
      await pause(everyMs, { signal: ending.signal });
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
  }
}

/** The text before a repeated view. */
export function startOfView(everyMs: number, nowMs: number): string {
  const heading = `${timeOf(nowMs)}, every ${everyMs / 1_000} s. Ctrl-C ends it.\n\n`;
  return process.stdout.isTTY ? `${CLEAR}${heading}` : heading;
}
