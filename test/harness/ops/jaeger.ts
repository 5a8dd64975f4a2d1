import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@databridge/local-platform/free-port';
import { startPeer } from '../peers/peer-process.ts';
import { jaeger } from './go-tools.ts';

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly processID: string;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** A real Jaeger that keeps traces in memory. Ended with the test file. */
export class Jaeger {
  /** Of its OTLP receiver. */
  readonly endpoint: string;
  readonly #query: string;

  private constructor(otlpPort: number, queryPort: number) {
    this.endpoint = `http://127.0.0.1:${otlpPort}`;
    this.#query = `http://127.0.0.1:${queryPort}`;
  }

  static async start(): Promise<Jaeger> {
    const [otlp = 0, query = 0, grpc = 0] = await freePorts(3);
    const directory = await mkdtemp(join(tmpdir(), 'databridge-jaeger-'));
    const config = join(directory, 'jaeger.json');
    const exporters = { jaeger_storage_exporter: { trace_storage: 'memory' } };
    await writeFile(
      config,
      JSON.stringify({
        service: {
          extensions: ['jaeger_storage', 'jaeger_query'],
          pipelines: { traces: { receivers: ['otlp'], exporters: Object.keys(exporters) } },
          telemetry: { metrics: { level: 'none' } },
        },
        extensions: {
          jaeger_storage: { backends: { memory: { memory: { max_traces: 10_000 } } } },
          jaeger_query: {
            storage: { traces: 'memory' },
            http: { endpoint: `127.0.0.1:${query}` },
            grpc: { endpoint: `127.0.0.1:${grpc}` },
          },
        },
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlp}` } } } },
        exporters,
      }),
    );
    await startPeer({ program: await jaeger(), args: ['--config', config], port: otlp });
    await rm(directory, { recursive: true });
    return new Jaeger(otlp, query);
  }

  /** Traces in which a span of the service has these tags. */
  async find(service: string, tags: Readonly<Record<string, string>>): Promise<JaegerTrace[]> {
    const asked = new URLSearchParams({ service, tags: JSON.stringify(tags), limit: '100', lookback: '1h' });
    const answer = await fetch(`${this.#query}/api/traces?${asked}`);
    const { data } = (await answer.json()) as { data: JaegerTrace[] | null };
    return data ?? [];
  }
}
