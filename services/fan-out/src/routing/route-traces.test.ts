import { LinkedSampler } from '@databridge/kernel/tracing/linked-sampler';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { RouteTraces } from './route-traces.ts';

const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const exporter = new InMemorySpanExporter();

function tracesWith(ratio: number): RouteTraces {
  exporter.reset();
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  const provider = new TracerProvider({ sampler: new LinkedSampler(ratio), spanProcessors });
  return new RouteTraces(provider.getTracer('test'), { topic: 'root-cause.events', partition: 2 });
}

const record = (headers = {}) => ({ offset: 7, timestampMs: 0, key: null, value: Buffer.alloc(9), headers });

test("goes on in the producer's trace, and the copies go on in its", () => {
  const traces = tracesWith(0);
  const carried = traces.begin(record({ traceparent: given }), 'evt-1', 2);
  traces.end(true);
  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({ name: 'process root-cause.events', kind: SpanKind.CONSUMER });
  expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(carried).toBe(`00-0af7651916cd43dd8448eb211c80319c-${span?.spanContext().spanId}-01`);
  expect(span?.attributes).toMatchObject({
    'messaging.system': 'kafka',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'root-cause.events',
    'messaging.destination.partition.id': '2',
    'messaging.kafka.offset': 7,
    'messaging.message.id': 'evt-1',
    'databridge.copies': 2,
  });
});

test('a trace begins here for a part of the others, and the rest carries what it came with', () => {
  expect(tracesWith(1).begin(record(), 'evt-1', 1)).toMatch(/^00-.*-01$/);
  const traces = tracesWith(0);
  expect(traces.begin(record(), 'evt-1', 1)).toBeUndefined();
  const unsampled = given.replace(/01$/, '00');
  expect(traces.begin(record({ traceparent: unsampled }), 'evt-1', 1)).toBe(unsampled);
  traces.end(true);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('copies that were not written show as an error', () => {
  const traces = tracesWith(1);
  traces.begin(record(), 'evt-1', 1);
  traces.end(false);
  expect(exporter.getFinishedSpans()[0]?.status.code).toBe(SpanStatusCode.ERROR);
});
