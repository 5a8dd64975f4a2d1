import type { EventReader, EventType } from '@databridge/schemas/event/event-types';
import { compileFilter } from '@databridge/schemas/subscription/filter/event-filter';
import { matches } from '@databridge/schemas/subscription/match';
import { ROUTING_FIELDS, type Routing, storedMatch } from '@databridge/schemas/subscription/routing';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** Decides whether a subscription matches an event, and gives the reasons if it does not. */
export interface MatchVerdict {
  readonly customer: string;
  readonly matches: boolean;
  /** The reasons as sentences; they name values of the subscription, but none of the event. */
  readonly whyNot: readonly string[];
}

/** The decision of fan-out with today's subscriptions: a filter that fails lets the event through. */
function matchVerdict(subscription: Subscription, type: EventType, routing: Routing, event: unknown): MatchVerdict {
  const { customer } = subscription;
  const interest = { eventTypes: subscription.eventTypes, match: storedMatch(subscription.match) };
  const whyNot: string[] = [];
  if (subscription.awaitsApproval === true)
    whyNot.push('no operator has approved the customer: nothing is copied for it');
  if (!interest.eventTypes.includes(type.name)) {
    whyNot.push(`eventTypes has no "${type.name}": it is ${interest.eventTypes.join(', ')}`);
  }
  for (const field of ROUTING_FIELDS) {
    const wanted = interest.match[field];
    if (
      wanted === undefined ||
      matches({ ...interest, eventTypes: [type.name], match: { [field]: wanted } }, type.name, routing)
    )
      continue;
    const stated = routing[field] === undefined ? 'the event states none' : 'the event states another';
    whyNot.push(`match.${field} is ${wanted.map((one) => `"${one}"`).join(', ')}; ${stated}`);
  }
  for (const filter of [subscription.filter, subscription.granted?.filter]) {
    const compiled = filter === undefined ? undefined : compileFilter(filter, type.fields);
    if (compiled?.ok && compiled.filter.test(event).kind === 'differs')
      whyNot.push(`the filter excludes it: ${filter}`);
  }
  return { customer, matches: whyNot.length === 0, whyNot };
}

/** The decisions for all subscriptions, by name. @throws {MalformedEventError} */
export function matchVerdicts(
  subscriptions: readonly Subscription[],
  type: EventType,
  reader: EventReader,
  value: Buffer,
): MatchVerdict[] {
  const routing = reader.routing(value);
  const event = reader.decoded(value);
  return subscriptions
    .map((one) => matchVerdict(one, type, routing, event))
    .sort((one, other) => (one.customer < other.customer ? -1 : 1));
}
