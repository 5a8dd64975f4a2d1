/** The subscription of a customer, with its single validator. */
import { describedEventType } from '../event/event-types.ts';
import { contentIssues } from './filter/content-choice.ts';
import { type ContentCheck, type ParsedSubscription, parseSubscriptionForm } from './subscription-form.ts';

export * from './subscription-form.ts';

/** Checks filter and sections against the schemas of the event types. */
export const contentCheck: ContentCheck = (subscription) => contentIssues(subscription, describedEventType);

/** The single validator of what people write: fills in defaults, and reports every mistake with its path. */
export function parseSubscription(value: unknown): ParsedSubscription {
  return parseSubscriptionForm(value, contentCheck);
}
