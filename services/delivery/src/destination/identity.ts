/**
 * The parts of a subscription that decide where its events go and how the connection is made. They are compared when it
 * changes.
 */
import { createHash } from 'node:crypto';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { kindOf } from '@databridge/schemas/destination/destinations';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/**
 * The address that events are sent to. While it stays the same, the waits that it asked for and the state of the
 * breaker are kept, even if other parts of the subscription change.
 */
export function addressOf({ destination }: Subscription<Secret>): string {
  return canonical([destination.type, ...kindOf(destination).address(destination)]);
}

/**
 * All settings that a destination is opened with, with secrets in the clear, hashed: two subscriptions with the same
 * value can use the same connections and tokens. A key ring that was rotated changes every seal and no secret; a rate,
 * a filter or a fallback changes nothing here.
 * @param nowMs an old signing key counts until its time is over
 */
export function openedWith(subscription: Subscription<Secret>, nowMs: number): string {
  const { destination, authentication, tls, signing, fallbacks = {} } = mapSecrets(subscription, (one) => one.reveal());
  const oldSigningKeys = Object.entries(fallbacks).filter(
    ([place, { untilMs }]) => place.startsWith('signing.') && untilMs > nowMs,
  );
  const text = canonical({ destination, authentication, tls, signing, oldSigningKeys });
  return createHash('sha256').update(text).digest('base64');
}

/** @returns the same text for the same content, regardless of the order of keys */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
