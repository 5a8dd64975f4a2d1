/** What of a subscription decides where its events go and how the connection is made: compared when it changes. */
import { createHash } from 'node:crypto';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { kindOf } from '@databridge/schemas/destination/destinations';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/**
 * The address that events are sent to. While it stays, so do the waits that it asked for and what the breaker learnt of
 * it, whatever else of the subscription changes.
 */
export function addressOf({ destination }: Subscription<Secret>): string {
  return canonical([destination.type, ...kindOf(destination).address(destination)]);
}

/**
 * All that a destination is opened with, secrets in the clear and then hashed: two subscriptions with the same value can
 * use the same connections and tokens. A key ring that was rotated changes every seal and no secret; a rate, a filter or
 * a fallback changes nothing here.
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

/** The same text for the same content, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
