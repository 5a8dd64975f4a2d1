import type { ConsumedRecord, TopicPartition } from '@databridge/kernel/kafka/records';
import { spanContextOf, traceparentOf } from '@databridge/kernel/tracing/traceparent';
import { traceparentOf as producersTraceparent } from '@databridge/schemas/records/headers';
import { FAN_OUT_GROUP } from '@databridge/schemas/records/topics';
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';

/** The spans of one turn of routing: each ends when Kafka has the copies of its record. */
export class RouteTraces {
  readonly #tracer: Tracer;
  readonly #intake: TopicPartition;
  readonly #spans: Span[] = [];

  constructor(tracer: Tracer, intake: TopicPartition) {
    this.#tracer = tracer;
    this.#intake = intake;
  }

  /**
   * Continues the producer's trace, or begins one.
   * @returns the `traceparent` of the copies: that of the span if it is recorded, otherwise the producer's
   */
  begin(record: ConsumedRecord, eventId: string, copies: number): string | undefined {
    const given = producersTraceparent(record.headers);
    const parent = spanContextOf(given);
    const { topic, partition } = this.#intake;
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const span = this.#tracer.startSpan(`process ${topic}`, { kind: SpanKind.CONSUMER }, context);
    // Most are not recorded: they cost no attributes.
    if (!span.isRecording()) return given;
    span.setAttributes({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': record.offset,
      'messaging.consumer.group.name': FAN_OUT_GROUP,
      'messaging.message.id': eventId,
      'messaging.message.body.size': record.value?.length ?? 0,
      'databridge.intake.time': new Date(record.timestampMs).toISOString(),
      'databridge.copies': copies,
    });
    this.#spans.push(span);
    return traceparentOf(span.spanContext());
  }

  /** @param isWritten false if another member owns the partition now, or the service stops */
  end(isWritten: boolean): void {
    for (const span of this.#spans) {
      if (!isWritten) span.setStatus({ code: SpanStatusCode.ERROR, message: 'not written: the partition was lost' });
      span.end();
    }
  }
}
