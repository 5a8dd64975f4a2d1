import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** What the customer needs to know of what was saved, and may. */
export function noteOf(subscription: Subscription | undefined): { readonly externalId?: string } {
  const authentication = subscription?.authentication;
  if (authentication?.type !== 'aws' || !('roleArn' in authentication)) return {};
  return authentication.externalId === undefined ? {} : { externalId: authentication.externalId };
}
