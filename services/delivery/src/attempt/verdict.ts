import type { DeadLetterReason } from '@databridge/schemas/records/reasons';
import { planNext, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Outcome } from './outcome.ts';

/** The decision about a record after its attempt. */
export type Verdict =
  /** The offset is done. */
  | { readonly kind: 'done' }
  /** The record goes into the retry topic of that delay; its offset is done when that topic has it. */
  | { readonly kind: 'retry'; readonly delay: string }
  /** The record becomes a dead letter; its offset is done when that topic has it. */
  | { readonly kind: 'dead'; readonly reason: DeadLetterReason }
  /**
   * The record goes back to its lane, not done and without an attempt used up: the connection is at fault, not the
   * event.
   */
  | { readonly kind: 'keep' }
  /** The record goes back to its lane, and the customer is disabled: everything stays in place. */
  | { readonly kind: 'disable'; readonly reason: DisableReason };

/** The reasons to disable a customer, besides a hold that lasts for the whole retry window. */
export const DISABLE_REASONS = ['exhausted', 'gone'] as const;
export type DisableReason = (typeof DISABLE_REASONS)[number];

export interface AttemptFacts {
  /** The attempts made since the customer was last enabled, this one included. */
  readonly attempt: number;
  readonly firstAttemptAtMs: number;
  readonly nowMs: number;
  /** When the destination last accepted an event of this customer. */
  readonly lastSuccessAtMs: number | undefined;
}

/** The table of outcomes, as one pure function. */
export function verdictOf(outcome: Outcome, facts: AttemptFacts, plan: RetryPlan): Verdict {
  switch (outcome.kind) {
    case 'delivered':
      return { kind: 'done' };
    case 'refused':
      return { kind: 'dead', reason: 'refused' };
    case 'deauthorized':
    case 'blocked':
      return { kind: 'keep' };
    case 'gone':
      return { kind: 'disable', reason: 'gone' };
    case 'internal':
      return { kind: 'dead', reason: 'internal' };
    case 'retry': {
      const next = planNext(plan, facts.attempt, facts.nowMs - facts.firstAttemptAtMs);
      if (next.kind === 'retry') return next;
      // Another event was accepted since: the endpoint works, so this event itself is the cause.
      const hasSucceededSince = facts.lastSuccessAtMs !== undefined && facts.lastSuccessAtMs >= facts.firstAttemptAtMs;
      return hasSucceededSince ? { kind: 'dead', reason: 'exhausted' } : { kind: 'disable', reason: 'exhausted' };
    }
  }
}
