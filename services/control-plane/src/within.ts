import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import { systemClock } from '@databridge/kernel/time/clock';

/** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` after that time; what was waited for goes on */
export async function within<T>(timeoutMs: number, waitedFor: Promise<T>, doing: string): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = systemClock.after(timeoutMs, () =>
    timeout.reject(new KafkaPortError('DB_KAFKA_UNAVAILABLE', `${doing}: not within ${timeoutMs / 1_000} s`)),
  );
  try {
    // biome-ignore lint/plugin: the time-out is made for this call; callers pass a promise of one request.
    return await Promise.race([waitedFor, timeout.promise]);
  } finally {
    timer.cancel();
  }
}
