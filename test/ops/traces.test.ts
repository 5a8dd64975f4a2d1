/** One trace from the producer to the destination, and its retries linked to it, seen in a real Jaeger. */
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { BUILD_TIMEOUT_MS, jaeger } from '../harness/ops/go-tools.ts';
import { Jaeger, type JaegerSpan, type JaegerTrace } from '../harness/ops/jaeger.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

beforeAll(async () => void (await jaeger()), BUILD_TIMEOUT_MS);

const PRODUCER = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', span: '00f067aa0ba902b7' };
const tagOf = (span: JaegerSpan | undefined, key: string) => span?.tags.find((tag) => tag.key === key)?.value;
/** The first rendering waits for the schema: then no attempt is made, and the span says so. */
const isMade = (span: JaegerSpan) => tagOf(span, 'databridge.outcome') !== 'not attempted';
const attempt = (traces: readonly JaegerTrace[], nth: number) =>
  traces.flatMap(({ spans }) => spans).find((span) => isMade(span) && tagOf(span, 'databridge.attempt') === nth);

test('producer, fan-out and first attempt are one trace; each retry is one of its own, linked to both before it', async () => {
  const traced = await Jaeger.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: traced.endpoint, OTEL_TRACES_SAMPLER_ARG: '0' };
  const stage = await Stage.start({ delivery: env, fanOut: env });
  const customer = freshName('traced');
  const receiver = await Receiver.start((_request, nth) => ({ status: nth < 3 ? 503 : 200 }));
  await stage.subscribe(customer, receiver.url);
  const traceparent = `00-${PRODUCER.trace}-${PRODUCER.span}-01`;
  // The second one is not recorded: nobody asked for it.
  await stage.upstream.produce([rootCauseEvent({ company: customer })], { traceparent, 'event-id': 'evt_traced' });
  await stage.upstream.produce([rootCauseEvent({ company: customer })], { 'event-id': 'evt_other' });
  await receiver.waitFor(({ accepted }) => accepted === 2);

  const asked = { 'databridge.customer': customer };
  const traces = await eventually(
    () => traced.find('delivery', asked),
    (found) => found.length === 3,
  );
  const [first, second, third] = [1, 2, 3].map((nth) => attempt(traces, nth));
  const whole = traces.find(({ traceID }) => traceID === PRODUCER.trace);
  expect(
    whole?.spans
      .filter(isMade)
      .map(({ operationName }) => operationName)
      .sort(),
  ).toEqual(['POST', `process ${stage.upstream.topic}`]);
  const routed = whole?.spans.find(({ operationName }) => operationName.startsWith('process'));
  expect(routed?.references).toEqual([{ refType: 'CHILD_OF', traceID: PRODUCER.trace, spanID: PRODUCER.span }]);
  expect(first?.references).toEqual([{ refType: 'CHILD_OF', traceID: PRODUCER.trace, spanID: routed?.spanID }]);
  expect(
    Object.values(whole?.processes ?? {})
      .map(({ serviceName }) => serviceName)
      .sort(),
  ).toEqual(['delivery', 'fan-out']);
  expect(tagOf(first, 'http.response.status_code')).toBe(503);

  for (const [retry, before, nth] of [
    [second, first, 2],
    [third, second, 3],
  ] as const) {
    expect(retry?.traceID).not.toBe(before?.traceID);
    expect(retry?.references.map(({ spanID }) => spanID).sort()).toEqual([routed?.spanID, before?.spanID].sort());
    expect(tagOf(retry, 'http.request.resend_count')).toBe(nth - 1);
  }
  expect(tagOf(third, 'http.response.status_code')).toBe(200);
  const log = stage.delivery.logs.filter((line) => line.msg === 'attempt' && line['eventId'] === 'evt_traced');
  expect(log.map((line) => line['trace_id'])).toEqual([first?.traceID, second?.traceID]);
  // The destination is told the span of each attempt, so that its own spans belong to ours.
  const told = receiver.requests.filter(({ id }) => id === 'evt_traced').map(({ headers }) => headers['traceparent']);
  expect(told).toEqual([first, second, third].map((span) => `00-${span?.traceID}-${span?.spanID}-01`));
  expect(receiver.requests.find(({ id }) => id === 'evt_other')?.headers['traceparent']).toBeUndefined();
});
