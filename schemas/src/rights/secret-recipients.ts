/** Who gets to see a secret, or its use: if that changes, the secret must be given again. */
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
  switch (destination.type) {
    case 'http':
      return { 'destination.url': originOf(destination.url), ...token };
    case 'api-gateway':
      return {
        'destination.url': originOf(destination.url),
        ...(authentication.type === 'aws' && { 'destination.region': destination.region ?? '' }),
        ...token,
      };
    case 'sns':
      return {
        // The partition, region and account, without the topic's name.
        'destination.topicArn': destination.topicArn.split(':').slice(0, -1).join(':'),
        'destination.endpoint': destination.endpoint === undefined ? '' : originOf(destination.endpoint),
      };
    case 'sqs':
      return {
        // With the account, without the queue's name.
        'destination.queueUrl': destination.queueUrl.split('/').slice(0, -1).join('/').toLowerCase(),
        'destination.region': destination.region ?? '',
      };
  }
}

const originOf = (url: string) => URL.parse(url)?.origin ?? url;

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
