import { describedEventType } from '@databridge/schemas/event/event-types';
import { type Issue, suggestion } from '@databridge/schemas/subscription/issue-words';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/**
 * Event types that no producer publishes: with a misspelled one, the customer would never get an event.
 * @param configured those of `EVENT_TYPES`; one that only has a schema is about to be configured, and is accepted
 */
export function eventTypeIssues(
  { eventTypes }: Pick<Subscription, 'eventTypes'>,
  configured: readonly string[],
): Issue[] {
  return eventTypes.flatMap((name, index) => {
    if (configured.includes(name) || describedEventType(name) !== undefined) return [];
    const known = `event types: ${[...configured].sort().join(', ')}`;
    return [
      {
        path: ['eventTypes', index],
        message: `"${name}" is not an event type${suggestion(name, configured)} (${known})`,
      },
    ];
  });
}
