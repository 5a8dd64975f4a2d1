/** Which subscriptions want an event. Pure; the index is fast enough to be asked for every event. */
import { type Interest, type Match, ROUTING_FIELDS, type Routing } from './routing.ts';

/**
 * The subscription names the event's type, and each field that it filters by has one of the wanted values. An event
 * without the field does not match. Whether the customer is paused or disabled does not matter: its events wait in
 * its topic. One that awaits approval gets none. Its content filter is asked later, of the few events that come so far: event-filter.ts.
 */
export function matches(
  interest: Pick<Interest, 'eventTypes' | 'match' | 'awaitsApproval'>,
  eventType: string,
  routing: Routing,
): boolean {
  if (interest.awaitsApproval === true) return false;
  return interest.eventTypes.includes(eventType) && matchesFields(interest.match, routing);
}

function matchesFields(match: Match, routing: Routing): boolean {
  return ROUTING_FIELDS.every((field) => {
    const wanted = match[field];
    const actual = routing[field];
    return wanted === undefined || (actual !== undefined && wanted.includes(actual));
  });
}

/**
 * Events of one company, organisation and folder come again and again, so answers are remembered. Bounded, since
 * the values come from outside.
 */
const MAX_REMEMBERED = 10_000;

/** Which of an event's customers want it only if its content passes a filter. A customer that has two must pass both. */
export interface Filtered {
  readonly customer: string;
  /** As the subscription has it. */
  readonly filter: string;
  /** It narrows what an operator set. Left out: the operator's, or nobody knows. */
  readonly isOwn?: true;
}

export class SubscriptionIndex {
  readonly #interests = new Map<string, Interest>();
  readonly #remembered = new Map<string, readonly string[]>();
  /** By the very list that was answered. */
  readonly #filtered = new WeakMap<readonly string[], readonly Filtered[]>();

  /** `undefined`: the customer is gone. */
  set(customer: string, interest: Interest | undefined): void {
    if (interest) this.#interests.set(customer, interest);
    else this.#interests.delete(customer);
    this.#remembered.clear();
  }

  get size(): number {
    return this.#interests.size;
  }

  has(customer: string): boolean {
    return this.#interests.has(customer);
  }

  /** @returns the customers that want the event by where it belongs; {@link filteredAmong} those that ask for more */
  customersFor(eventType: string, routing: Routing): readonly string[] {
    const question = questionOf(eventType, routing);
    const known = this.#remembered.get(question);
    if (known) return known;
    const customers: string[] = [];
    for (const [customer, interest] of this.#interests) {
      if (matches(interest, eventType, routing)) customers.push(customer);
    }
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(question, customers);
    this.#filtered.set(
      customers,
      customers.flatMap((customer) => {
        const { filter, granted } = this.#interests.get(customer) ?? {};
        const given = granted?.filter === undefined ? [] : [{ customer, filter: granted.filter }];
        if (filter === undefined) return given;
        return [...given, { customer, filter, ...(granted !== undefined && { isOwn: true as const }) }];
      }),
    );
    return customers;
  }

  /** @param customers the very list that {@link customersFor} answered: so this costs next to nothing */
  filteredAmong(customers: readonly string[]): readonly Filtered[] {
    return this.#filtered.get(customers) ?? [];
  }
}

/** The lengths keep apart what plain joining would mix up: values may hold any separator. */
function questionOf(eventType: string, { company, organisation, folder }: Routing): string {
  return `${eventType.length},${company?.length},${organisation?.length},${folder?.length}:${eventType}${company}${organisation}${folder}`;
}
