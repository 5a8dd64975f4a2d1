import { type Attributes, type Context, isSpanContextValid, type Link, type SpanKind, trace } from '@opentelemetry/api';
import {
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { isSampled } from './traceparent.ts';

/**
 * Samples a part of the traces that begin here. A span that continues a trace, or that is linked to others, is sampled
 * if those are: so an event has all its retries in the tracing system, or none.
 */
export class LinkedSampler implements Sampler {
  readonly #roots: Sampler;

  /** @param ratio from 0 to 1 */
  constructor(ratio: number) {
    this.#roots = new TraceIdRatioBasedSampler(ratio);
  }

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const parent = trace.getSpanContext(context);
    const decided = parent !== undefined && isSpanContextValid(parent) ? [parent] : links.map((link) => link.context);
    if (decided.length === 0) return this.#roots.shouldSample(context, traceId, name, kind, attributes, links);
    return { decision: decided.some(isSampled) ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
  }

  toString(): string {
    return `LinkedSampler{${this.#roots}}`;
  }
}
