import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 50;

/**
 * Asks until the answer passes: for state that nobody announces, such as a group's committed offsets.
 * @throws Error after `timeoutMs`, with the last answer
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  passes: (answer: T) => boolean,
  timeoutMs = 60_000,
  askEveryMs = ASK_EVERY_MS,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (passes(answer)) return answer;
    if (performance.now() > deadlineMs)
      throw new Error(`Not within ${timeoutMs} ms; at last: ${JSON.stringify(answer)}`);
    await delay(askEveryMs);
  }
}
