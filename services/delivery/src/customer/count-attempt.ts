import type { Logger } from '@databridge/kernel/log';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { DeliveryMetrics } from '../metrics.ts';

/** Shows an attempt to operators, in the metrics and in the log. */
export function countAttempt(
  { attemptCounters, attemptTimes }: Pick<DeliveryMetrics, 'attemptCounters' | 'attemptTimes'>,
  log: Logger,
  customer: string,
  attempt: Attempt,
): void {
  attemptCounters.of(customer, attempt.outcome).inc();
  attemptTimes.of(attempt.outcome).observe(attempt.durationMs / 1_000);
  // Deliveries are shown by metrics and the attempt log: a line for each would cost more than the delivery.
  if (attempt.outcome === 'delivered') log.debug(attempt, 'attempt');
  else log.info(attempt, 'attempt');
}
