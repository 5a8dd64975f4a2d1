/** Who gets to see a secret, or its use: if that changes, the secret must be given again. */
import { kindOf } from '../destination/destinations.ts';
import { originOf } from '../destination/kind.ts';
import { secretsInUse } from '../subscription/secret-places.ts';
import type { Subscription } from '../subscription/subscription.ts';

/** Where requests go with the secret, by the field that says so. */
export type Recipients = Readonly<Record<string, string>>;

/**
 * Everybody to whom a subscription presents its secrets, or what is made with them: tokens, signatures, a client
 * certificate. Whoever can edit a subscription without knowing its secrets must not be able to send them elsewhere.
 */
export function recipientsOf({
  destination,
  authentication,
}: Pick<Subscription<unknown>, 'destination' | 'authentication'>): Recipients {
  const token = authentication.type === 'oauth' ? { 'authentication.tokenUrl': originOf(authentication.tokenUrl) } : {};
  return { ...kindOf(destination).recipients(destination, authentication.type), ...token };
}

/** @returns the fields by which some secret would go to somebody else, `destination.url` for instance */
export function changedRecipients(
  before: Pick<Subscription<unknown>, 'destination' | 'authentication'>,
  after: Pick<Subscription<unknown>, 'destination' | 'authentication'>,
): string[] {
  const [was, is] = [recipientsOf(before), recipientsOf(after)];
  return Object.keys(is).filter((field) => is[field] !== was[field]);
}

/** @returns places of secrets of `after` that `isKept` says are the stored ones, though somebody else would get them */
export function secretsToGiveAgain<S>(
  before: Subscription<unknown>,
  after: Subscription<S>,
  isKept: (secret: S, place: string) => boolean,
): { readonly places: readonly string[]; readonly because: readonly string[] } {
  const because = changedRecipients(before, after);
  if (because.length === 0) return { places: [], because };
  const toDestination = because.some((field) => field.startsWith('destination.'));
  const kept = [...secretsInUse(after)].filter(
    // No token request is signed by these.
    ([place, secret]) => isKept(secret, place) && (toDestination || !place.startsWith('signing.')),
  );
  return { places: kept.map(([place]) => place), because };
}
