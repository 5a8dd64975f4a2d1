/** The recipients of each secret and of its use: if one of them changes, the secret must be entered again. */
import { kindOf } from '../destination/destinations.ts';
import { originOf } from '../destination/kind.ts';
import { secretsInUse } from '../subscription/secret-places.ts';
import type { Subscription } from '../subscription/subscription.ts';

/** The addresses of requests with the secret, by the field that states them. */
export type Recipients = Readonly<Record<string, string>>;

/**
 * All recipients of a subscription's secrets, or of what is made with them: tokens, signatures, a client certificate. A
 * person who can edit a subscription without knowing its secrets must not be able to send them elsewhere.
 */
export function recipientsOf({
  destination,
  authentication,
}: Pick<Subscription<unknown>, 'destination' | 'authentication'>): Recipients {
  const token = authentication.type === 'oauth' ? { 'authentication.tokenUrl': originOf(authentication.tokenUrl) } : {};
  return { ...kindOf(destination).recipients(destination, authentication.type), ...token };
}

/** @returns the fields whose change would send a secret to another recipient, such as `destination.url` */
export function changedRecipients(
  before: Pick<Subscription<unknown>, 'destination' | 'authentication'>,
  after: Pick<Subscription<unknown>, 'destination' | 'authentication'>,
): string[] {
  const [was, is] = [recipientsOf(before), recipientsOf(after)];
  return Object.keys(is).filter((field) => is[field] !== was[field]);
}

/** @returns the places of stored secrets in `after` (see `isKept`) that another recipient would get */
export function secretsToGiveAgain<S>(
  before: Subscription<unknown>,
  after: Subscription<S>,
  isKept: (secret: S, place: string) => boolean,
): { readonly places: readonly string[]; readonly because: readonly string[] } {
  const because = changedRecipients(before, after);
  if (because.length === 0) return { places: [], because };
  const toDestination = because.some((field) => field.startsWith('destination.'));
  const kept = [...secretsInUse(after)].filter(
    // These secrets sign no token request.
    ([place, secret]) => isKept(secret, place) && (toDestination || !place.startsWith('signing.')),
  );
  return { places: kept.map(([place]) => place), because };
}
