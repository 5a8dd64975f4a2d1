import { DatabridgeError } from '@databridge/kernel/errors';
import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** What the route does: `see` for whoever may see the customer, `act` changes something, `operate` is nobody's own. */
    access?: 'see' | 'act' | 'operate' | 'open';
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

function refuseUnlessMay(caller: Caller, access: string | undefined, customer: string | undefined): void {
  if (caller.role === 'operator') return;
  if (caller.role === 'reader' && access === 'see') return;
  // Another customer's name tells nothing, not even whether it exists.
  if (caller.role === 'customer' && access !== 'operate') {
    if (customer === undefined || customer === caller.customer) return;
    throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  }
  throw new DatabridgeError('DB_FORBIDDEN', `The role ${caller.role} may not do that`);
}

/** Which customers the caller may know of. */
export function maySee(caller: Caller | undefined, customer: string): boolean {
  return caller?.role !== 'customer' || caller.customer === customer;
}
