import type { Attempt } from '@databridge/schemas/records/attempts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { CustomerMetrics } from '../observe/customer-metrics.ts';

/** Counts an attempt in the metrics. */
export function countAttempt(
  metrics: Pick<DeliveryMetrics, 'attempted'>,
  counts: CustomerMetrics,
  attempt: Attempt,
): void {
  const { outcome, durationMs } = attempt;
  if (outcome !== 'skipped') {
    counts.attempts[outcome]++;
    metrics.attempted(outcome, durationMs);
  }
  counts.attemptSeconds += durationMs / 1_000;
}
