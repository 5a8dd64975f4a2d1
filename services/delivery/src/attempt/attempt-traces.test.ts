import { LinkedSampler } from '@databridge/kernel/tracing/linked-sampler';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { AttemptTraces } from './attempt-traces.ts';

const CREATED = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const traceparent = `00-${CREATED.trace}-${CREATED.span}-01`;
const destination = { type: 'http', method: 'POST', url: 'https://api.acme.example/in/secret?key=secret' };
const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({
  sampler: new LinkedSampler(0),
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
});
const traces = new AttemptTraces(provider.getTracer('test'));

beforeEach(() => exporter.reset());

function recordWith(facts: Partial<BufferedRecord['facts']>): BufferedRecord {
  const lane = { topic: 'delivery.acme', partition: 0, delayMs: 0 };
  const all = { eventId: 'evt-1', eventType: 'root-cause', attempt: 0, ...facts };
  return {
    lane,
    offset: 7,
    dueAtMs: 0,
    value: Buffer.alloc(1),
    facts: all,
    bytes: 513,
    copyKey: 'evt-1',
  };
}

test('the first attempt goes on in the trace of the event; the retry is a trace of its own, linked to both', () => {
  const first = traces.begin('acme', recordWith({ traceparent }), 1, 1_000, destination);
  first?.end({ kind: 'retry', reason: 'status 503', status: 503 }, 1_040);
  const before = { traceparent, attemptTraceparent: first?.traceparent ?? '', attempt: 1 };
  traces.begin('acme', recordWith(before), 2, 11_000, destination)?.end({ kind: 'delivered', status: 200 }, 11_050);
  const [one, two] = exporter.getFinishedSpans();
  expect(one).toMatchObject({ name: 'POST', kind: SpanKind.CLIENT, links: [], status: { code: SpanStatusCode.ERROR } });
  expect([one?.spanContext().traceId, one?.parentSpanContext?.spanId]).toEqual([CREATED.trace, CREATED.span]);
  expect(one?.attributes).toEqual({
    'http.request.method': 'POST',
    'server.address': 'api.acme.example',
    'server.port': 443,
    'url.scheme': 'https',
    'databridge.customer': 'acme',
    'databridge.lane': 'delivery.acme',
    'databridge.attempt': 1,
    'databridge.outcome': 'retry',
    'messaging.kafka.offset': 7,
    'messaging.message.id': 'evt-1',
    'http.response.status_code': 503,
    'error.type': '503',
  });
  expect(two?.spanContext().traceId).not.toBe(CREATED.trace);
  expect(two?.parentSpanContext).toBeUndefined();
  expect(two?.links.map(({ context }) => context.spanId)).toEqual([CREATED.span, one?.spanContext().spanId]);
  expect(two?.attributes).toMatchObject({ 'http.request.resend_count': 1, 'http.response.status_code': 200 });
  expect(two?.attributes).not.toHaveProperty('error.type');
});

test('an event that nobody chose to record costs nothing', () => {
  expect(traces.begin('acme', recordWith({}), 1, 0, destination)).toBeUndefined();
  const unsampled = traceparent.replace(/01$/, '00');
  expect(traces.begin('acme', recordWith({ traceparent: unsampled }), 1, 0, destination)).toBeUndefined();
});

test('what an operator sends again is a trace of its own', () => {
  traces.begin('acme', recordWith({ traceparent, replayId: 'r1' }), 1, 0, destination)?.end(undefined, 1);
  const [span] = exporter.getFinishedSpans();
  expect(span?.spanContext().traceId).not.toBe(CREATED.trace);
  expect(span?.links).toHaveLength(1);
  expect(span?.attributes['databridge.outcome']).toBe('not attempted');
});
