import type { FastifyInstance } from 'fastify';
import { tenantOf } from '../auth/access.ts';
import { FairGate } from './fair-gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads a topic, or computes for long: how many such requests run at a time is bounded. */
    isExpensive?: boolean;
  }
}

/** Places in a queue for a tenant: enough for a page of a portal, too few to keep it waiting for minutes. */
const MAX_WAITING_PER_TENANT = 16;
const WAIT_WITHIN_MS = 30_000;

/**
 * Makes expensive requests take turns by tenant. The handler itself is wrapped, so that a place is given back when the
 * work ends, not when the caller stops listening.
 * @param maxRunning at the same time; one tenant has half of them at the most
 */
export function queueExpensiveRoutes(api: FastifyInstance, maxRunning: number): void {
  const gate = new FairGate({
    maxRunning,
    maxRunningPerTenant: Math.ceil(maxRunning / 2),
    maxWaitingPerTenant: MAX_WAITING_PER_TENANT,
    waitWithinMs: WAIT_WITHIN_MS,
  });
  api.addHook('onRoute', (route) => {
    if (route.config?.isExpensive !== true) return;
    const { handler } = route;
    route.handler = function queued(request, reply) {
      const gone = new AbortController();
      const onClose = () => gone.abort();
      request.raw.socket.once('close', onClose);
      return gate
        .run(tenantOf(request.caller), gone.signal, () => handler.call(this, request, reply))
        .finally(() => request.raw.socket.off('close', onClose));
    };
  });
}
