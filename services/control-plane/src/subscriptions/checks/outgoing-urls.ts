/**
 * The URLs that a subscription makes us open, checked by their text when it is saved. warnings.ts checks their
 * addresses.
 */
import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { kindOf } from '@databridge/schemas/destination/destinations';
import type { Issue } from '@databridge/schemas/subscription/issue-words';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

export interface OutgoingUrl {
  readonly path: (string | number)[];
  readonly url: URL;
}

/** The URLs of a subscription to which requests are sent. Each is checked again when a connection is opened. */
export function outgoingUrls(subscription: Subscription): OutgoingUrl[] {
  const { urls } = kindOf(subscription.destination);
  return [...urls.map((name) => ['destination', name]), ['authentication', 'tokenUrl']].flatMap((path) => {
    const text = path.reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      subscription,
    );
    const url = typeof text === 'string' ? URL.parse(text) : null;
    return url === null ? [] : [{ path, url }];
  });
}

/** URLs that can be refused by their text alone: a private address, plain http where it is not allowed, a port. */
export function egressIssues(subscription: Subscription, policy: EgressPolicy): Issue[] {
  return outgoingUrls(subscription).flatMap(({ path, url }) => {
    const refusal = policy.urlRefusal(url);
    return refusal === undefined ? [] : [{ path, message: refusal }];
  });
}
