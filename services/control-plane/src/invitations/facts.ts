import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** The facts about the saved subscription that the customer needs and may see. */
export function noteOf(subscription: Subscription | undefined): { readonly externalId?: string } {
  const authentication = subscription?.authentication;
  if (authentication?.type !== 'aws' || !('roleArn' in authentication)) return {};
  return authentication.externalId === undefined ? {} : { externalId: authentication.externalId };
}
