import type { FastifyInstance } from 'fastify';
import { tenantOf } from '../auth/access.ts';
import { FairGate } from './fair-gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Marks a route that reads a topic, or computes for long: the number of such requests that run at the same time is
     * limited.
     */
    isExpensive?: boolean;
  }
}

/** The number of places in a tenant's queue: enough for a page of the portal, too few for a wait of minutes. */
const MAX_WAITING_PER_TENANT = 16;
const WAIT_WITHIN_MS = 30_000;

/**
 * Makes expensive requests of tenants take turns. The handler itself is wrapped, so that a place is released when the
 * work ends, not when the caller disconnects.
 * @param maxRunning the limit of requests at the same time; one tenant has at most half of them
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
