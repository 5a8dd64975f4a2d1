/**
 * The fields of an event that it is routed by, and their conditions in a subscription. Imports nothing, since others
 * build on it.
 */

/** The origin that an event states. A field that the event does not state is absent. */
export interface Routing {
  readonly company?: string;
  readonly organisation?: string;
  readonly folder?: string;
}

/** The values that a subscription selects, in the stored form. A field that is omitted matches any value. */
export interface Match {
  readonly company?: readonly string[];
  readonly organisation?: readonly string[];
  readonly folder?: readonly string[];
}

/** The fields that events are routed by. */
export const ROUTING_FIELDS = ['company', 'organisation', 'folder'] as const satisfies readonly (keyof Match)[];

/** Used instead of a list of values: all of them, stated explicitly. */
export const EVERYTHING = 'everything';

/** The form that people write: omitting a field must not select the events of every company. */
export type DeclaredMatch =
  | typeof EVERYTHING
  | (Omit<Match, 'company'> & { readonly company: readonly string[] | typeof EVERYTHING });

/** Returns whether the customer gets the events of every company. */
export function matchesEveryCompany(match: DeclaredMatch): boolean {
  return match === EVERYTHING || match.company === EVERYTHING;
}

/**
 * The stored form, which is the same as before `everything` was required, so that services of either version read it.
 */
export function storedMatch(declared: DeclaredMatch): Match {
  if (declared === EVERYTHING) return {};
  const { company, ...rest } = declared;
  return company === EVERYTHING ? rest : { company, ...rest };
}

/** The explicit form of a stored match. */
export function declaredMatch(stored: Match): DeclaredMatch {
  if (ROUTING_FIELDS.every((field) => stored[field] === undefined)) return EVERYTHING;
  return { company: EVERYTHING, ...stored };
}

/** The part of a subscription that decides which events the customer gets. */
export interface Interest {
  readonly eventTypes: readonly string[];
  readonly match: Match;
  /** A CEL expression over the event's fields: see event-filter.ts. */
  readonly filter?: string;
  /** The settings of an operator, while the customer narrows them: an event must pass both filters. */
  readonly granted?: { readonly filter?: string };
  /** True if approval is missing: the customer gets no events yet. */
  readonly awaitsApproval?: true;
}
