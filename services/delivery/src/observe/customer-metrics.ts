import { ATTEMPT_OUTCOMES, type AttemptOutcome } from '@databridge/schemas/records/attempts';
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '@databridge/schemas/records/reasons';
import { HOLD_REASONS, type HoldReason } from '@databridge/schemas/records/status';
import { DISABLE_REASONS, type DisableReason } from '../attempt/verdict.ts';
import type { CustomerLevels } from './customer-levels.ts';
import { Stalls } from './stalls.ts';

const DISABLED_BECAUSE = [...DISABLE_REASONS, ...HOLD_REASONS] as const;

/**
 * The counts that this worker has of one customer, from its first start until another worker takes it over. They are
 * plain numbers: looking up a series by its labels costs more than counting.
 */
export class CustomerMetrics {
  readonly attempts = zeros<AttemptOutcome>(ATTEMPT_OUTCOMES);
  readonly deadLetters = zeros<DeadLetterReason>(DEAD_LETTER_REASONS);
  readonly disabled = zeros<DisableReason | HoldReason>(DISABLED_BECAUSE);
  offsetsLost = 0;
  /** The sum of the durations of all attempts. */
  attemptSeconds = 0;
  readonly stalls = new Stalls();
  /** The levels, which are read when Prometheus scrapes; undefined while the customer does not run. */
  levels: (() => CustomerLevels) | undefined;
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
