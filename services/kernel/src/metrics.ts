import { collectDefaultMetrics, Registry } from 'prom-client';
import { offsetJumps } from './kafka/metrics.ts';

/** Gauges that prom-client names like counters: `promtool check metrics` refuses them, and nobody needs them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * One registry per service instance, so that several can run in one process (as tests do).
 * @param component the value of the label `component`. A label `service` would collide with the Prometheus operator's.
 */
export function createRegistry(component: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ component });
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  offsetJumps(registry);
  return registry;
}
