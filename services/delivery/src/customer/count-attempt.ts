import type { Logger } from '@databridge/kernel/log';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { CustomerMetrics } from '../observe/customer-metrics.ts';

/** Shows an attempt to operators, in the metrics and in the log. */
export function countAttempt(
  metrics: Pick<DeliveryMetrics, 'attempted'>,
  counts: CustomerMetrics,
  log: Logger,
  attempt: Attempt,
): void {
  const { outcome, durationMs } = attempt;
  if (outcome !== 'skipped') {
    counts.attempts[outcome]++;
    metrics.attempted(outcome, durationMs);
  }
  counts.attemptSeconds += durationMs / 1_000;
  // Deliveries are shown by metrics and the attempt log: a line for each would cost more than the delivery.
  if (outcome === 'delivered') log.debug(attempt, 'attempt');
  else log.info(attempt, 'attempt');
}
