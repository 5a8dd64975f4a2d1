import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';

/**
 * Measures the duration of requests to the API, by route. Live streams are not measured, because they last as long as
 * their clients stay.
 */
export function measureRequests(api: FastifyInstance, registry: Registry): void {
  const seconds = new Histogram({
    name: 'databridge_api_request_duration_seconds',
    help: 'Requests to the API from their arrival to the last byte of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  api.addHook('onResponse', async (request, reply) => {
    if (String(reply.getHeader('content-type') ?? '').startsWith('text/event-stream')) return;
    const route = request.routeOptions.url ?? 'unknown';
    const status = `${Math.floor(reply.statusCode / 100)}xx`;
    seconds.observe({ method: request.method, route, status }, reply.elapsedTime / 1_000);
  });
}

export function exportIsWriter(isWriter: () => boolean, registry: Registry): void {
  new Gauge({
    name: 'databridge_control_plane_is_writer',
    help: '1 at the control plane that makes the changes',
    registers: [registry],
    collect() {
      this.set(isWriter() ? 1 : 0);
    },
  });
}
