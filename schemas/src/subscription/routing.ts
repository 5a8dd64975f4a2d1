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

/** The part of a subscription that decides which events the customer gets. */
export interface Interest {
  readonly eventTypes: readonly string[];
  readonly match: Match;
  /** CEL over the event's fields: see event-filter.ts. */
  readonly filter?: string;
}
