import type { FailureClass } from '@databridge/schemas/destination/outcome';
import type { Outcome } from '../attempt/outcome.ts';

/** The class of a failed attempt: the classes of {@link FailureClass} for requests without an answer, and these. */
export const FAILURE_CLASSES = [
  ...(['dns', 'tls', 'connect', 'headers', 'body', 'egress', 'proxy'] as const satisfies FailureClass[]),
  ...(['token', '4xx', '429', '5xx', 'other'] as const),
] as const;

/** @returns undefined for an attempt that did not fail, or that failed with an internal error */
export function failureClassOf(outcome: Outcome): (typeof FAILURE_CLASSES)[number] | undefined {
  if (outcome.kind === 'delivered' || outcome.kind === 'internal') return undefined;
  if ('failure' in outcome && outcome.failure !== undefined) return outcome.failure;
  const status = 'status' in outcome ? outcome.status : undefined;
  if (status === undefined) return 'other';
  if (status === 429) return '429';
  return status >= 500 ? '5xx' : status >= 400 ? '4xx' : 'other';
}
