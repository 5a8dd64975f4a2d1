import { diag, type Tracer } from '@opentelemetry/api';
import type { Logger } from '../log.ts';
import { decimal, httpAddress } from '../settings/config.ts';
import { systemClock, type Timer } from '../time/clock.ts';
import { VERSION } from '../version.ts';

/** Names and meanings are OpenTelemetry's. Its exporter reads the other `OTEL_EXPORTER_OTLP_…` variables itself. */
export const tracingVariables = {
  /** The base address of an OTLP receiver over HTTP, such as `http://collector:4318`; if not set, nothing is traced. */
  OTEL_EXPORTER_OTLP_ENDPOINT: httpAddress().optional(),
  /**
   * The share of the traces that begin here and are recorded, from 0 to 1. A trace that a producer began keeps its
   * decision.
   */
  OTEL_TRACES_SAMPLER_ARG: decimal('0.01', 0, 1),
} as const;

export interface TracingSettings {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
}

export interface Tracing {
  readonly tracer: Tracer;
  /** Exports the remaining spans. */
  stop(): Promise<void>;
}

/** An exporter that fails logs an error for each batch: once a minute is enough. */
const WARN_EVERY_MS = 60_000;
const STOP_WITHIN_MS = 5_000;

/**
 * Starts tracing if an OTLP endpoint is set; the SDK is loaded only then. Spans wait in a bounded queue: if the
 * receiver is down they are dropped, and nothing waits for them.
 */
export async function startTracing(
  service: string,
  settings: TracingSettings,
  log: Logger,
  instance?: string,
): Promise<Tracing | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = settings;
  if (endpoint === undefined) return undefined;
  const [{ BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }, { LinkedSampler }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
      import('./linked-sampler.ts'),
    ]);
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url });
  logTroubles(log, url);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': 'databridge-events',
      'service.name': service,
      'service.version': VERSION,
      ...(instance !== undefined && { 'service.instance.id': instance }),
    }),
    sampler: new LinkedSampler(ratio),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  log.info({ url, ratio }, 'tracing started');
  return {
    tracer: provider.getTracer('databridge-events', VERSION),
    async stop() {
      let timer: Timer | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = systemClock.after(STOP_WITHIN_MS, resolve);
      });
      // biome-ignore lint/plugin: both are made for this call, once in the life of the process.
      await Promise.race([provider.shutdown().catch(() => undefined), patience]);
      timer?.cancel();
    },
  };
}

/** Passes the messages of the SDK to the log. */
function logTroubles(log: Logger, url: string): void {
  let mayWarnAtMs = 0;
  const warn = (message: string, ...details: unknown[]) => {
    if (systemClock.monotonicMs() < mayWarnAtMs) return;
    mayWarnAtMs = systemClock.monotonicMs() + WARN_EVERY_MS;
    log.warn(
      { event: 'trace_export_failed', url, detail: [message, ...details].map(String).join(' ') },
      'trace export failed',
    );
  };
  const nothing = () => undefined;
  diag.setLogger({ error: warn, warn, info: nothing, debug: nothing, verbose: nothing });
}
