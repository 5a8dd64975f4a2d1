import { collectDefaultMetrics, Registry } from 'prom-client';
import { offsetJumps } from './kafka/metrics.ts';

/** One registry a service instance, so that several can run in one process (as tests do). */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  offsetJumps(registry);
  return registry;
}
