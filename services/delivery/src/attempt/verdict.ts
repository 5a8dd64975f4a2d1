import type { DeadLetterReason } from '@databridge/schemas/records/reasons';
import { planNext, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Outcome } from './outcome.ts';

/** What is to be done with the record that was just attempted. */
export type Verdict =
  /** Its offset is done. */
  | { readonly kind: 'done' }
  /** Into the retry topic of that delay; its offset is done when that topic has it. */
  | { readonly kind: 'retry'; readonly delay: string }
  /** Into the dead letters; its offset is done when they have it. */
  | { readonly kind: 'dead'; readonly reason: DeadLetterReason }
  /** Back where it was, not done and no attempt spent: the connection is at fault, not the event. */
  | { readonly kind: 'keep' }
  /** Back where it was, and the customer is disabled: everything stays in place. */
  | { readonly kind: 'disable'; readonly reason: DisableReason };

/** What disables a customer besides a hold that lasts for the retry window. */
export const DISABLE_REASONS = ['exhausted', 'gone'] as const;
export type DisableReason = (typeof DISABLE_REASONS)[number];

export interface AttemptFacts {
  /** Attempts made so far, this one included, since the customer was last enabled. */
  readonly attempt: number;
  readonly firstAttemptAtMs: number;
  readonly nowMs: number;
  /** When the destination last accepted anything of this customer. */
  readonly lastSuccessAtMs: number | undefined;
}

/** The design's table of outcomes, as one pure function. */
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
      // Something was accepted since: the endpoint works, so this event is the poison.
      const hasSucceededSince = facts.lastSuccessAtMs !== undefined && facts.lastSuccessAtMs >= facts.firstAttemptAtMs;
      return hasSucceededSince ? { kind: 'dead', reason: 'exhausted' } : { kind: 'disable', reason: 'exhausted' };
    }
  }
}
