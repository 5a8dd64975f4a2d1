import { DatabridgeError } from '@databridge/kernel/errors';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import { DELIVERY_WORKERS_GROUP, deliveryGroup } from '@databridge/schemas/records/topics';

const ASK_EVERY_MS = 200;
/** The member of a dead worker is evicted: its session lasts longer than that of its worker. */
const EVICT_EVERY_MS = 2_000;

/**
 * Resolves when no worker is a member of the customer's group: requests in flight have ended and are committed.
 * @param withinMs a request may take 20 s, and a worker that was killed counts until its session in the workers' group
 *   ends
 * @throws {DatabridgeError} DB_CONFLICT after that, naming the remaining member
 */
export async function groupEmpty(
  admin: Pick<KafkaAdmin, 'groupState' | 'evictDeadMember'>,
  customer: string,
  withinMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const giveUpAtMs = systemClock.monotonicMs() + withinMs;
  let evictAtMs = systemClock.monotonicMs() + EVICT_EVERY_MS;
  for (;;) {
    const { state, members } = await admin.groupState(deliveryGroup(customer));
    if (state === 'Empty' || state === 'Dead') return;
    if (systemClock.monotonicMs() > giveUpAtMs) {
      const who = members.map(({ clientId, clientHost }) => `${clientId} at ${clientHost}`).join(', ');
      throw new DatabridgeError(
        'DB_CONFLICT',
        `After ${withinMs / 1_000} s, group ${deliveryGroup(customer)} still has members: ${who || state}`,
      );
    }
    if (systemClock.monotonicMs() > evictAtMs) {
      await admin.evictDeadMember(deliveryGroup(customer), DELIVERY_WORKERS_GROUP);
      evictAtMs = systemClock.monotonicMs() + EVICT_EVERY_MS;
    }
    await pause(ASK_EVERY_MS);
    signal?.throwIfAborted();
  }
}
