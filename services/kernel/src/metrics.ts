import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { offsetJumps } from './kafka/metrics.ts';
import type { SeriesTable } from './series-table.ts';
import { VERSION } from './version.ts';

/** Gauges that prom-client names like counters: `promtool check metrics` refuses them, and they are not needed. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The metrics of one service: those of prom-client, which are few, and tables with a row for each customer. */
export class MetricsRegistry extends Registry {
  readonly #labels: string;
  readonly #tables: SeriesTable[] = [];

  constructor(component: string) {
    super();
    this.setDefaultLabels({ component });
    this.#labels = `component="${component}"`;
  }

  add(table: SeriesTable): void {
    this.#tables.push(table);
  }

  /** The names of all metrics. */
  names(): string[] {
    return [
      ...this.getMetricsAsArray().map(({ name }) => name),
      ...this.#tables.flatMap(({ families }) => families.map(({ name }) => name)),
    ];
  }

  /** The text of a scrape in parts, so that other work can run in between. */
  async *parts(): AsyncGenerator<string> {
    yield await super.metrics();
    for (const table of this.#tables) yield* table.parts(this.#labels);
  }

  override async metrics(): Promise<string> {
    let text = '';
    for await (const part of this.parts()) text += part;
    return text;
  }
}

/**
 * One registry per service instance, so that several can run in one process (as tests do).
 * @param component the value of the label `component`. A label `service` would collide with the Prometheus operator's.
 */
export function createRegistry(component: string): MetricsRegistry {
  const registry = new MetricsRegistry(component);
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  offsetJumps(registry);
  new Gauge({
    name: 'databridge_build_info',
    help: 'Version of the service and of Node.js; always 1',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: VERSION, node: process.versions.node }, 1);
  return registry;
}

/** @param notReadyBecause undefined if the service is ready */
export function exportReady(registry: MetricsRegistry, notReadyBecause: () => string | undefined): void {
  new Gauge({
    name: 'databridge_ready',
    help: '1 with the reason "ready", or 0 with the reason why the service cannot do its work',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      const because = notReadyBecause();
      this.reset();
      this.set({ reason: because ?? 'ready' }, because === undefined ? 1 : 0);
    },
  });
}
