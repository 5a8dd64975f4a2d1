/** Decides which subscriptions match an event. Pure; the index is fast enough for every event. */
import { type Interest, type Match, ROUTING_FIELDS, type Routing } from './routing.ts';

/**
 * The subscription names the event's type, and each field that it filters by has one of the wanted values. An event
 * without the field does not match. Whether the customer is paused or disabled does not matter: its events wait in its
 * topic. A customer that awaits approval gets none. Its content filter is evaluated later, for the few events that
 * match: event-filter.ts.
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
 * Events of the same company, organisation and folder repeat, so answers are remembered. The memory is limited, since
 * producers choose the values.
 */
const MAX_REMEMBERED = 10_000;

/**
 * Which of an event's customers match it only if its content passes a filter. A customer that has two filters must pass
 * both.
 */
export interface Filtered {
  readonly customer: string;
  /** The filter of the subscription. */
  readonly filter: string;
  /** True if it narrows a filter that an operator set. If omitted, it is the operator's, or that is unknown. */
  readonly isOwn?: true;
}

export class SubscriptionIndex {
  readonly #interests = new Map<string, Interest>();
  readonly #remembered = new Map<string, readonly string[]>();
  /** The filters by the list that was returned. */
  readonly #filtered = new WeakMap<readonly string[], readonly Filtered[]>();

  /** `undefined`: the customer was deleted. */
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

  /**
   * @returns the customers that match the event by its routing fields; {@link filteredAmong} returns those that also
   *   have a filter
   */
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

  /** @param customers the same list object that {@link customersFor} returned, so that the look-up is cheap */
  filteredAmong(customers: readonly string[]): readonly Filtered[] {
    return this.#filtered.get(customers) ?? [];
  }
}

/** The lengths make it unambiguous: values may contain any separator. */
function questionOf(eventType: string, { company, organisation, folder }: Routing): string {
  return `${eventType.length},${company?.length},${organisation?.length},${folder?.length}:${eventType}${company}${organisation}${folder}`;
}
