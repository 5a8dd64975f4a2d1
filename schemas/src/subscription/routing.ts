/** By which fields of an event it is routed, and what a subscription says of them. Imports nothing: others build on it. */

/** What an event states about its origin. A field that the event does not state is absent. */
export interface Routing {
  readonly company?: string;
  readonly organisation?: string;
  readonly folder?: string;
}

/** The values that a subscription wants, as Kafka holds them. A field left out matches anything. */
export interface Match {
  readonly company?: readonly string[];
  readonly organisation?: readonly string[];
  readonly folder?: readonly string[];
}

/** The fields by which events are routed. */
export const ROUTING_FIELDS = ['company', 'organisation', 'folder'] as const satisfies readonly (keyof Match)[];

/** Instead of a list of values: all of them, stated explicitly. */
export const EVERYTHING = 'everything';

/** As people write it: nobody gets every company's events by leaving something out. */
export type DeclaredMatch =
  | typeof EVERYTHING
  | (Omit<Match, 'company'> & { readonly company: readonly string[] | typeof EVERYTHING });

/** Whether the customer gets events of every company. */
export function matchesEveryCompany(match: DeclaredMatch): boolean {
  return match === EVERYTHING || match.company === EVERYTHING;
}

/** As Kafka holds it: the same as before `everything` had to be said, so that services of either version read it. */
export function storedMatch(declared: DeclaredMatch): Match {
  if (declared === EVERYTHING) return {};
  const { company, ...rest } = declared;
  return company === EVERYTHING ? rest : { company, ...rest };
}

/** What a stored match means, stated explicitly. */
export function declaredMatch(stored: Match): DeclaredMatch {
  if (ROUTING_FIELDS.every((field) => stored[field] === undefined)) return EVERYTHING;
  return { company: EVERYTHING, ...stored };
}

/** The part of a subscription that decides which events the customer gets. */
export interface Interest {
  readonly eventTypes: readonly string[];
  readonly match: Match;
  /** CEL over the event's fields: see event-filter.ts. */
  readonly filter?: string;
  /** What an operator set, while the customer narrows it: an event must pass both filters. */
  readonly granted?: { readonly filter?: string };
  /** No event is for this customer yet. */
  readonly awaitsApproval?: true;
}
