import { describedEventType } from '@databridge/schemas/event/event-types';
import { contentIssues } from '@databridge/schemas/subscription/filter/content-choice';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** A subscription's object is replaced when it changes. */
const judged = new WeakMap<Subscription, string | undefined>();

/**
 * Why fan-out cannot use a stored filter, such as one that was saved before a limit was lowered or a field removed. Its
 * customer gets all events that `match` selects in the meantime, so operators must see it.
 * @returns a text that completes "filter …"; undefined if fan-out uses the filter, or the subscription has no filter
 */
export function invalidFilter(subscription: Subscription): string | undefined {
  if (!judged.has(subscription)) {
    const { eventTypes, filter } = subscription;
    const issues = contentIssues({ eventTypes, ...(filter !== undefined && { filter }) }, describedEventType);
    judged.set(subscription, issues.find(({ path }) => path[0] === 'filter')?.message);
  }
  return judged.get(subscription);
}
