import { setTimeout as delay } from 'node:timers/promises';
import { KafkaPortError } from '@databridge/kernel/kafka/errors';

/** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` after that time; what was waited for goes on */
export async function within<T>(timeoutMs: number, waitedFor: Promise<T>, doing: string): Promise<T> {
  const over = new AbortController();
  const timeout = delay(timeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `${doing}: not within ${timeoutMs / 1_000} s`);
  });
  try {
    // biome-ignore lint/plugin: the time-out is made for this call; callers pass a promise of one request.
    return await Promise.race([waitedFor, timeout]);
  } finally {
    over.abort();
    timeout.catch(() => undefined);
  }
}
