import { DatabridgeError } from '@databridge/kernel/errors';
import type { Caller } from '@databridge/kernel/secrets/tokens';
import { type Access, ROLES_BY_ACCESS, type Role, routeRight } from '@databridge/schemas/rights/route-rights';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Set by the table of rights, for every route that it lists. */
    access?: Access;
  }
}

/** Knows by their bearer tokens who calls. */
export interface Callers {
  /** @returns undefined: nobody whom we know */
  callerOf(token: string): Caller | undefined | Promise<Caller | undefined>;
}

const MAX_FAILURES = 20;
const FAILURES_WITHIN_MS = 60_000;
/** So many addresses are remembered: an attacker has many, and memory is ours. */
const MAX_ADDRESSES = 10_000;

/** Lets in who has a token, to what its role may; refuses an address that keeps guessing. */
export function guardAccess(api: FastifyInstance, callers: Callers, maxFailures = MAX_FAILURES): void {
  const failures = new Map<string, { count: number; sinceMs: number }>();

  api.addHook('onRoute', (route) => {
    if (route.config?.access === 'open') return;
    for (const method of [route.method].flat()) {
      const right = routeRight(method, route.url);
      if (right === undefined)
        throw new Error(`no row for ${method} ${route.url} in schemas/src/rights/route-rights.ts`);
      route.config = { ...route.config, access: right.access };
    }
  });
  api.decorateRequest('caller', undefined);
  api.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config;
    if (access === 'open') return;
    const known = failures.get(request.ip);
    if (known && performance.now() - known.sinceMs > FAILURES_WITHIN_MS) failures.delete(request.ip);
    else if (known && known.count >= maxFailures) {
      throw new DatabridgeError('DB_TOO_MANY_FAILURES', 'Too many wrong tokens came from your address; wait a minute');
    }
    request.caller = await callers.callerOf(bearerOf(request));
    if (request.caller === undefined) {
      const failed = failures.get(request.ip) ?? { count: 0, sinceMs: performance.now() };
      if (failures.size >= MAX_ADDRESSES) failures.clear();
      failures.set(request.ip, { ...failed, count: failed.count + 1 });
      throw new DatabridgeError(
        'DB_UNAUTHENTICATED',
        'Send "Authorization: Bearer <token>" with a token that is known',
      );
    }
    refuseUnlessMay(request.caller, access, (request.params as { customer?: string }).customer);
  });
}

function bearerOf({ headers }: FastifyRequest): string {
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function refuseUnlessMay(caller: Caller, access: Access | undefined, customer: string | undefined): void {
  // Another customer's name tells nothing, not even whether it exists.
  if (caller.role === 'customer' && customer !== undefined && customer !== caller.customer) {
    throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  }
  const roles = access === undefined ? [] : ROLES_BY_ACCESS[access];
  if (!roles.includes(caller.role)) {
    const who = roles.map((role) => (role === 'operator' ? 'operators' : `${role}s`)).join(' and ');
    throw new DatabridgeError('DB_FORBIDDEN', `The role ${caller.role} may not do that; it is for ${who || 'nobody'}`);
  }
  if (access === 'payload' && !mayReadPayloads(caller)) {
    throw new DatabridgeError(
      'DB_FORBIDDEN',
      'The content of events is a right of its own; ask an operator for a token of the role "reader+payloads"',
    );
  }
}

/** Operators read all payloads, customers their own; a reader needs the right. */
export function mayReadPayloads(caller: Caller | undefined): boolean {
  return caller !== undefined && (caller.role !== 'reader' || caller.payloads === true);
}

/** To which address a name leads inside our network, and what is open there. */
export function maySeeAddresses(caller: Caller | undefined): boolean {
  return caller?.role === 'operator';
}

/** Which customers the caller may know of. */
export function maySee(caller: Caller | undefined, customer: string): boolean {
  return caller?.role !== 'customer' || caller.customer === customer;
}

/** @throws {DatabridgeError} DB_UNAUTHENTICATED: every route but the open ones has let somebody in */
export function callerOf({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (caller !== undefined) return caller;
  throw new DatabridgeError('DB_UNAUTHENTICATED', 'Send "Authorization: Bearer <token>" with a token that is known');
}

export const roleOf = (request: Pick<FastifyRequest, 'caller'>): Role => callerOf(request).role;
