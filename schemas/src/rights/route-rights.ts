/** Which role may call which route of the API: the one table. A route that is not listed keeps the API from starting. */

export const ROLES = ['operator', 'customer', 'reader'] as const;
export type Role = (typeof ROLES)[number];

/**
 * The purpose of a route:
 *
 * - `open`: has no data of any customer.
 * - `see`: reads facts about a customer, but never the content of events.
 * - `payload`: reads the content of events. It is a right of its own, and every use is audited.
 * - `oversee`: reads data that concern all customers together.
 * - `act`: changes a customer's own settings; of its subscription, the fields that field-rights.ts lists.
 * - `operate`: makes changes that are reserved to operators.
 * - `intake`: is called by the set-up page on behalf of the owner of a link and its code; no token reaches it.
 */
export type Access = 'open' | 'see' | 'payload' | 'oversee' | 'act' | 'operate' | 'intake';

/** The caller of the set-up page, which is the listener of a control plane. No token has this role. */
export const INTAKE_ROLE = 'intake';

/** A customer reaches only itself, whatever the route; a reader needs the right to payloads for `payload`. */
export const ROLES_BY_ACCESS: Readonly<Record<Access, readonly (Role | typeof INTAKE_ROLE)[]>> = {
  open: ['operator', 'customer', 'reader'],
  see: ['operator', 'customer', 'reader'],
  payload: ['operator', 'customer', 'reader'],
  oversee: ['operator', 'reader'],
  act: ['operator', 'customer'],
  operate: ['operator'],
  intake: [INTAKE_ROLE],
};

export interface RouteRight {
  readonly access: Access;
  /** Conditions besides the role, as a sentence for people. */
  readonly rule?: string;
}

export const ROUTE_RIGHTS = {
  'GET /v1/openapi.json': { access: 'open' },
  'GET /v1/event-types': { access: 'open' },
  'GET /v1/event-types/:name': { access: 'open' },
  'GET /v1/event-types/:name/page': { access: 'open' },
  'GET /v1/asyncapi.json': { access: 'oversee' },

  'GET /v1/facts': { access: 'see', rule: 'Every destination must allow these addresses.' },
  'GET /v1/me': { access: 'see', rule: 'Who calls, and what the role may.' },
  'POST /v1/sessions': { access: 'see', rule: 'Exchanges a token or a sign-in link for a cookie of the portal.' },
  'POST /v1/sessions/links': { access: 'see', rule: 'A link that signs its own caller in to the portal, once.' },
  'GET /v1/sessions': { access: 'see', rule: 'Operators see all sessions, other callers their own.' },
  'DELETE /v1/sessions/:id': { access: 'see', rule: 'Operators end any session, other callers their own.' },

  'GET /v1/subscriptions': { access: 'see', rule: 'A customer sees its own only.' },
  'GET /v1/subscriptions/:customer': { access: 'see' },
  'PUT /v1/subscriptions/:customer': {
    access: 'act',
    rule: 'Only operators create a subscription. A customer changes the fields that belong to it.',
  },
  'PATCH /v1/subscriptions/:customer': {
    access: 'act',
    rule: 'A customer changes the fields that belong to it.',
  },
  'DELETE /v1/subscriptions/:customer': { access: 'operate' },
  'POST /v1/subscriptions/:customer/pause': { access: 'act' },
  'POST /v1/subscriptions/:customer/resume': { access: 'act' },
  'POST /v1/subscriptions/:customer/enable': {
    access: 'act',
    rule: 'A customer may enable itself after a worker disabled it, not after an operator did.',
  },
  'POST /v1/subscriptions/:customer/disable': { access: 'operate' },
  'POST /v1/subscriptions/:customer/comparisons': {
    access: 'act',
    rule: 'Readers may not: a caller that compares can test guesses of a secret.',
  },

  'GET /v1/subscriptions/:customer/secrets': { access: 'see' },
  'PUT /v1/subscriptions/:customer/secrets/:name': { access: 'act' },
  'DELETE /v1/subscriptions/:customer/secrets/:name/fallback': { access: 'act' },
  'GET /v1/subscriptions/:customer/certificate-request': {
    access: 'see',
    rule: 'A request is public: its key is not in it.',
  },
  'POST /v1/subscriptions/:customer/certificate-request': { access: 'act' },
  'PUT /v1/subscriptions/:customer/certificate': { access: 'act' },
  'GET /v1/sealing-keys': { access: 'see', rule: 'Public keys: they open nothing.' },
  'GET /v1/seals-to-rotate': { access: 'operate' },
  'POST /v1/subscriptions/:customer/reseals': { access: 'operate' },

  'POST /v1/invitations': { access: 'operate' },
  'GET /v1/invitations': { access: 'oversee', rule: 'Without links and codes: those are shown once.' },
  'POST /v1/invitations/:id/renew': { access: 'operate' },
  'POST /v1/invitations/:id/revoke': { access: 'operate' },
  'POST /v1/subscriptions/:customer/approve': { access: 'operate' },

  'GET /v1/status': { access: 'see', rule: 'A customer sees its own only.' },
  'GET /v1/subscriptions/:customer/status': { access: 'see' },
  'GET /v1/subscriptions/:customer/explanation': { access: 'see' },
  'GET /v1/events/:id/explanation': {
    access: 'oversee',
    rule: 'It names the customers that the event is for, without its content.',
  },
  'GET /v1/subscriptions/:customer/reconciliation': { access: 'see' },
  'GET /v1/attempts/live': { access: 'see', rule: 'A customer sees its own only.' },
  'GET /v1/subscriptions/:customer/attempts': {
    access: 'see',
    rule: "The destination's answers are left out without the right to payloads: an answer may quote the event.",
  },
  'GET /v1/subscriptions/:customer/attempts/live': { access: 'see' },
  'GET /v1/subscriptions/:customer/attempts/series': { access: 'see' },
  'GET /v1/subscriptions/:customer/events': { access: 'see' },
  'GET /v1/subscriptions/:customer/events/:id': {
    access: 'see',
    rule: "The destination's answers are left out without the right to payloads: an answer may quote the event.",
  },
  'GET /v1/subscriptions/:customer/events/:id/content': { access: 'payload' },
  'GET /v1/events/:id': { access: 'oversee' },
  'GET /v1/workers': { access: 'oversee' },
  'GET /v1/health': { access: 'oversee' },
  'GET /v1/doctor': { access: 'oversee' },
  'GET /v1/intake': { access: 'oversee' },
  'GET /v1/audit': { access: 'oversee' },
  'GET /v1/subscriptions/:customer/audit': { access: 'see', rule: 'A customer sees who changed what of its own.' },

  'POST /v1/subscriptions/:customer/rewinds': { access: 'act' },
  'POST /v1/subscriptions/:customer/redeliveries': { access: 'act' },
  'GET /v1/subscriptions/:customer/dead-letters': { access: 'see' },
  'GET /v1/subscriptions/:customer/dead-letters/:id': { access: 'payload' },
  'POST /v1/subscriptions/:customer/dead-letters/redrives': { access: 'act' },
  'POST /v1/subscriptions/:customer/dead-letters/discards': { access: 'act' },
  'GET /v1/quarantine': { access: 'oversee', rule: 'Without the content of the records.' },
  'POST /v1/quarantine/openings': { access: 'operate', rule: 'Quarantined records belong to no customer yet.' },
  'POST /v1/quarantine/redrives': { access: 'operate' },
  'POST /v1/quarantine/discards': { access: 'operate' },
  'GET /v1/operations': { access: 'see', rule: 'A customer sees its own only.' },
  'GET /v1/operations/:id': { access: 'see', rule: 'A customer sees its own only.' },
  'POST /v1/subscriptions/:customer/test': { access: 'act' },
  'POST /v1/subscriptions/:customer/rehearsals': { access: 'act' },
  'POST /v1/events': { access: 'operate', rule: 'An event may go to any customer.' },
  'POST /v1/erasures': { access: 'operate', rule: 'It concerns the events of all customers.' },
  'POST /v1/subscriptions/:customer/filters/try': {
    access: 'payload',
    rule: 'A caller that tries filters on events learns their content.',
  },
  'POST /v1/filters/try': { access: 'see', rule: 'The event comes from the caller.' },
} as const satisfies Readonly<Record<string, RouteRight>>;

/**
 * @param route its path with parameters, such as `/v1/subscriptions/:customer`
 * @returns undefined if it is not listed
 */
export function routeRight(method: string, route: string): RouteRight | undefined {
  const rows: Readonly<Record<string, RouteRight>> = ROUTE_RIGHTS;
  // A caller that may read may also request the headers only.
  const name = `${method === 'HEAD' ? 'GET' : method} ${route}`;
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}
