import { isSampled, spanContextOf, traceparentOf } from '@databridge/kernel/tracing/traceparent';
import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { Outcome } from './outcome.ts';

/** The span of an attempt that is being recorded. */
export interface AttemptTrace {
  readonly traceId: string;
  /** The trace context that the destination receives, and that the next attempt links to. */
  readonly traceparent: string;
  /** @param outcome undefined if no attempt counts, because it was cut off or never begun. @param atMs wall clock */
  end(outcome: Outcome | undefined, atMs: number): void;
}

/**
 * A span for each attempt of an event that fan-out, or a producer, chose to record. The first attempt belongs to the
 * event's trace. A retry, which may come hours later, starts a trace of its own, linked to the span that created the
 * event and to the attempt before it. So does an event that an operator sends again.
 */
export class AttemptTraces {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** @param startedAtMs wall clock @returns undefined if this event is not recorded */
  begin(
    customer: string,
    { facts, lane, offset }: BufferedRecord,
    attempt: number,
    startedAtMs: number,
    destination: DestinationSettings,
  ): AttemptTrace | undefined {
    const created = spanContextOf(facts.traceparent);
    if (created === undefined || !isSampled(created)) return undefined;
    const isFirst = facts.attempt === 0 && facts.replayId === undefined;
    const before = spanContextOf(facts.attemptTraceparent);
    const links: Link[] = isFirst
      ? []
      : [
          { context: created, attributes: { 'databridge.link': 'created' } },
          ...(before ? [{ context: before, attributes: { 'databridge.link': 'previous attempt' } }] : []),
        ];
    const attributes: Attributes = {
      ...destinationAttributes(destination),
      'databridge.customer': customer,
      'databridge.lane': lane.topic,
      'messaging.kafka.offset': offset,
      'messaging.message.id': facts.eventId,
      'databridge.attempt': attempt,
      ...(attempt > 1 && { 'http.request.resend_count': attempt - 1 }),
    };
    const name = typeof destination.method === 'string' ? destination.method : `send ${destination.type}`;
    const options = { kind: SpanKind.CLIENT, startTime: startedAtMs, attributes, links };
    const parent = isFirst ? trace.setSpanContext(ROOT_CONTEXT, created) : ROOT_CONTEXT;
    const span = this.#tracer.startSpan(name, options, parent);
    const context = span.spanContext();
    return {
      traceId: context.traceId,
      traceparent: traceparentOf(context),
      end: (outcome, atMs) => endSpan(span, outcome, Math.max(atMs, startedAtMs)),
    };
  }
}

function endSpan(span: Span, outcome: Outcome | undefined, atMs: number): void {
  if (outcome === undefined) span.setAttribute('databridge.outcome', 'not attempted');
  else {
    const status = 'status' in outcome ? outcome.status : undefined;
    span.setAttribute('databridge.outcome', outcome.kind);
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    if (outcome.kind !== 'delivered') {
      span.setAttribute('error.type', status === undefined ? outcome.kind : String(status));
      span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.reason });
    }
  }
  span.end(atMs);
}

/** The settings of any kind of destination: those that are present are shown. */
type DestinationSettings = Readonly<
  Record<'type', string> & Partial<Record<'method' | 'url' | 'endpoint' | 'queueUrl', unknown>>
>;

/** The names that OpenTelemetry gives to destinations that are messaging systems. */
const MESSAGING_SYSTEMS: Readonly<Record<string, string>> = { sqs: 'aws_sqs', sns: 'aws.sns' };

/** The path and the query are left out: they may contain a secret. */
function destinationAttributes({ type, method, ...settings }: DestinationSettings): Attributes {
  const address = [settings.url, settings.endpoint, settings.queueUrl].find((one) => typeof one === 'string');
  const url = URL.parse(address ?? '');
  const system = MESSAGING_SYSTEMS[type];
  return {
    ...(url !== null && {
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      'url.scheme': url.protocol.slice(0, -1),
    }),
    ...(typeof method === 'string' && { 'http.request.method': method }),
    ...(system !== undefined && {
      ...{ 'messaging.system': system, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' },
    }),
  };
}
