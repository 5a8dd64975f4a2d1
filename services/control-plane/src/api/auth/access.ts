import { DatabridgeError } from '@databridge/kernel/errors';
import type { Caller, Person } from '@databridge/kernel/secrets/tokens';
import { systemClock } from '@databridge/kernel/time/clock';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import {
  type Access,
  INTAKE_ROLE,
  ROLES_BY_ACCESS,
  type Role,
  routeRight,
} from '@databridge/schemas/rights/route-rights';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refuseForeignPages, sessionSecretOf } from '../../portal/session-cookie.ts';
import { LINK_PREFIX, type ListedSession, type Sessions } from '../../portal/sessions.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
    /** Set if the caller was identified by a session of the portal, or by a link that began one. */
    session: ListedSession | undefined;
  }
  interface FastifyContextConfig {
    /** Set by the table of rights, for every route that it lists. */
    access?: Access;
  }
}

/** Identifies callers by their bearer tokens. */
export interface Callers {
  /** @returns undefined if the token is unknown */
  callerOf(token: string): Caller | undefined | Promise<Caller | undefined>;
  /** The caller whose token has this id, as configured at present. */
  callerById?(id: string): Person | undefined;
}

export interface AccessParts {
  readonly callers: Callers;
  readonly sessions: Pick<Sessions, 'find' | 'redeem'>;
  /**
   * The number of requests with unknown tokens from one address that are answered 401 within a minute; further ones are
   * answered 429. Default 20.
   */
  readonly maxFailures?: number | undefined;
  /** The caller for whom another control plane vouches; undefined if the request carries no assertion. */
  forwarded(request: FastifyRequest): Promise<Caller | undefined>;
}

/** The route that exchanges a token or a link for the cookie of a session. */
export const SESSIONS_ROUTE = '/v1/sessions';
const MAX_FAILURES = 20;
const FAILURES_WITHIN_MS = 60_000;

/**
 * Authenticates requests by their tokens, and applies the rights of the caller's role. A token is checked before its
 * address is, so an address that sends wrong ones, such as that of an ingress, locks nobody out: only wrong tokens are
 * throttled.
 */
export function guardAccess(
  api: FastifyInstance,
  { callers, sessions, maxFailures = MAX_FAILURES, forwarded }: AccessParts,
): void {
  const countFailure = api.createRateLimit({
    max: maxFailures,
    timeWindow: FAILURES_WITHIN_MS,
    keyGenerator: byAddress,
    allowList: () => false,
  });

  api.addHook('onRoute', (route) => {
    const { access } = route.config ?? {};
    if (access === 'open' || access === 'intake') return;
    for (const method of [route.method].flat()) {
      const right = routeRight(method, route.url);
      if (right === undefined)
        throw new Error(`no row for ${method} ${route.url} in schemas/src/rights/route-rights.ts`);
      route.config = { ...route.config, access: right.access };
    }
  });
  api.decorateRequest('caller', undefined);
  api.decorateRequest('session', undefined);
  api.decorateRequest('forwarded', undefined);
  api.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config;
    if (access === 'open') return;
    request.caller =
      (await forwarded(request)) ??
      (await callerBySession(request, sessions)) ??
      (await callers.callerOf(bearerOf(request)));
    if (request.caller === undefined) {
      const failures = await countFailure(request);
      if (!failures.isAllowed && failures.isExceeded) {
        reply.header('retry-after', String(failures.ttlInSeconds));
        throw new DatabridgeError(
          'DB_TOO_MANY_FAILURES',
          `More than ${maxFailures} requests with unknown tokens came from this address within a minute; requests with a valid token are still accepted`,
        );
      }
      throw new DatabridgeError(
        'DB_UNAUTHENTICATED',
        'The token is missing or unknown: send "Authorization: Bearer <token>" with a valid token',
      );
    }
    if (request.is404) return;
    request.caller = viewedAs(request, access) ?? request.caller;
    refuseUnlessMay(request.caller, access, (request.params as { customer?: string }).customer);
  });
}

/**
 * Authenticates by the cookie of the portal, unless there is a token beside it; or by a sign-in link, when a session
 * begins.
 */
async function callerBySession(
  request: FastifyRequest,
  sessions: AccessParts['sessions'],
): Promise<Caller | undefined> {
  const bearer = bearerOf(request);
  if (bearer.startsWith(LINK_PREFIX)) {
    const isBeginning = request.method === 'POST' && request.routeOptions.url === SESSIONS_ROUTE;
    request.session = isBeginning ? await sessions.redeem(bearer, systemClock.nowMs()) : undefined;
  } else if (request.headers.authorization === undefined) {
    const secret = sessionSecretOf(request);
    if (secret === undefined) return undefined;
    refuseForeignPages(request);
    const found = await sessions.find(secret, systemClock.nowMs());
    request.session = found?.kind === 'session' ? found : undefined;
  }
  return request.session?.caller as Caller | undefined;
}

/** Names the customer whose view an operator takes: it shows what that customer would see, and changes nothing. */
const VIEW_AS = 'databridge-view-as';

function viewedAs({ caller, headers, method }: FastifyRequest, access: Access | undefined): Caller | undefined {
  const customer = headers[VIEW_AS];
  if (customer === undefined || caller === undefined) return undefined;
  if (caller.role !== 'operator') {
    throw new DatabridgeError('DB_FORBIDDEN', `Only operators may send "${VIEW_AS}"; leave it out`);
  }
  if ((method !== 'GET' && method !== 'HEAD') || access === 'payload') {
    throw new DatabridgeError(
      'DB_FORBIDDEN',
      'The view as a customer can neither change anything nor read events; leave the view',
    );
  }
  if (typeof customer !== 'string' || !CUSTOMER_PATTERN.test(customer)) {
    throw new DatabridgeError('DB_INPUT_INVALID', `"${VIEW_AS}" must be the name of a customer`);
  }
  return { id: caller.id, name: caller.name, role: 'customer', customer };
}

const byAddress = (request: FastifyRequest) => `address ${request.ip}`;

function bearerOf({ headers }: FastifyRequest): string {
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function refuseUnlessMay(caller: Caller, access: Access | undefined, customer: string | undefined): void {
  // The answer for another customer's name does not reveal whether it exists.
  if (caller.role === 'customer' && customer !== undefined && customer !== caller.customer) {
    throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  }
  const roles = access === undefined ? [] : ROLES_BY_ACCESS[access];
  if (!roles.includes(caller.role)) {
    const who = roles.map((role) => (role === 'operator' ? 'operators' : `${role}s`)).join(' and ');
    throw new DatabridgeError(
      'DB_FORBIDDEN',
      `The role ${caller.role} may not make this request; allowed: ${who || 'no role'}`,
    );
  }
  if (access === 'payload' && !mayReadPayloads(caller)) {
    throw new DatabridgeError(
      'DB_FORBIDDEN',
      'The role reader may not see the content of events; ask an operator for a token with the role "reader+payloads"',
    );
  }
}

/** Operators read all payloads, customers their own; a reader needs the right. */
export function mayReadPayloads(caller: Caller | undefined): boolean {
  return caller !== undefined && (caller.role !== 'reader' || caller.payloads === true);
}

/** The address inside our network that a name leads to, and its open ports. */
export function maySeeAddresses(caller: Caller | undefined): boolean {
  return caller?.role === 'operator';
}

/**
 * The tenant whose share of the API a caller uses: all tokens of a customer share one, and every other token has its
 * own.
 */
export function tenantOf(caller: Caller | undefined): string {
  return caller?.role === 'customer' ? `customer:${caller.customer}` : (caller?.id ?? '');
}

/** Returns whether the caller may know of the customer. */
export function maySee(caller: Caller | undefined, customer: string): boolean {
  return caller?.role !== 'customer' || caller.customer === customer;
}

/** @throws {DatabridgeError} DB_UNAUTHENTICATED, which cannot happen: all other routes authenticate their caller */
export function callerOf({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (caller !== undefined) return caller;
  throw new DatabridgeError(
    'DB_UNAUTHENTICATED',
    'The token is missing or unknown: send "Authorization: Bearer <token>" with a valid token',
  );
}

/** @throws {DatabridgeError} DB_FORBIDDEN for the set-up page, which may call its own routes only */
export function personOf(request: Pick<FastifyRequest, 'caller'>): Person {
  const caller = callerOf(request);
  if (caller.role !== INTAKE_ROLE) return caller;
  throw new DatabridgeError('DB_FORBIDDEN', 'The set-up page may not do that');
}

export const roleOf = (request: Pick<FastifyRequest, 'caller'>): Role => personOf(request).role;
