import type { Logger } from '@databridge/kernel/log';
import { withinCeilings } from '@databridge/schemas/rights/ceilings';
import {
  decodeSubscription,
  formatIssues,
  type Subscription,
} from '@databridge/schemas/subscription/subscription-form';

/**
 * The subscription of a record as it applies to delivery, with sealed secrets.
 * @param log for a record that is not valid; if omitted, nothing is logged
 * @returns undefined if it is not valid
 */
export function subscriptionOf(customer: string, value: Buffer, log?: Logger): Subscription | undefined {
  const parsed = decodeSubscription(customer, value);
  if (parsed.ok) return withinCeilings(parsed.subscription);
  log?.error(
    { event: 'subscription_invalid', customer, issues: formatIssues(parsed.issues) },
    'subscription not valid',
  );
  return undefined;
}
