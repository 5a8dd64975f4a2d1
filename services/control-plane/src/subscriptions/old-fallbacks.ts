/** Removes fallback secrets that have expired from Kafka. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { Writer } from './writer.ts';

/** Removes those of all customers, on behalf of the control plane itself. */
export async function dropOldFallbacks(
  operations: ControlPlaneContext,
  writer: Pick<Writer, 'change'>,
  nowMs: number,
): Promise<void> {
  const actor = { name: 'control-plane', role: 'service' };
  for (const [customer, subscription] of await operations.subscriptions()) {
    if (withoutOldFallbacks(subscription, nowMs) === subscription) continue;
    try {
      await writer.change(actor, customer, async (commit) => {
        const before = (await operations.subscriptions()).get(customer);
        const after = before === undefined ? undefined : withoutOldFallbacks(before, nowMs);
        if (after !== before && after !== undefined) await commit([{ what: 'reseal', customer, before, after }]);
      });
    } catch (error) {
      if (error instanceof DatabridgeError && error.code === 'DB_NOT_THE_WRITER') throw error;
      operations.log.error({ event: 'fallback_secret_kept', err: error, customer }, 'old fallback secret not removed');
    }
  }
}

function withoutOldFallbacks(subscription: Subscription, nowMs: number): Subscription {
  const { fallbacks, ...rest } = subscription;
  const left = Object.entries(fallbacks ?? {}).filter(([, { untilMs }]) => untilMs > nowMs);
  if (left.length === Object.keys(fallbacks ?? {}).length) return subscription;
  return left.length === 0 ? rest : { ...rest, fallbacks: Object.fromEntries(left) };
}
