import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabridgeError } from '@databridge/kernel/errors';
import { isAlive } from '../process-alive.ts';

const POLL_MS = 100;

/**
 * Returns once no JVM uses the data that belongs to `pidFile`. Kafka's own lock is not enough: a second broker fails at
 * it only after it has damaged the first one's files.
 * @param pidFile written by the guard: the pids of the JVM and of the process that started it
 * @param graceMs how long a JVM may still run after its owner ended
 * @throws {DatabridgeError} DB_PLATFORM_DATA_IN_USE
 */
export async function waitUntilUnused(pidFile: string, graceMs: number): Promise<void> {
  const deadlineMs = performance.now() + graceMs;
  for (;;) {
    const [owner = 0, jvm = 0] = (await readFile(pidFile, 'utf8').catch(() => '')).split(' ').map(Number);
    const isInUse = jvm > 0 && isAlive(jvm);
    if (!isInUse) break;
    if ((owner !== process.pid && isAlive(owner)) || performance.now() > deadlineMs) {
      throw new DatabridgeError(
        'DB_PLATFORM_DATA_IN_USE',
        `Process ${owner} already runs a platform on these data (${pidFile}). Stop it, or set LOCAL_DATA_DIR to another directory.`,
      );
    }
    await delay(POLL_MS);
  }
  await rm(pidFile, { force: true });
}
