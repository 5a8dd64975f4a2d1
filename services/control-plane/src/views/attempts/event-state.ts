/** The fate of an event, derived from its attempts. */
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { EffectiveState } from '@databridge/schemas/records/status';
import { laneDelayMs, planNext, type RetryPlan } from '@databridge/schemas/retries/retry-plan';

/**
 * - `delivered`: the destination accepted it.
 * - `retrying`: it failed, and is tried again when it is due.
 * - `held`: it is not tried until the connection works again, or the customer is enabled.
 * - `dead`: it became a dead letter; if it was redriven since, it has newer attempts; if it was discarded, it has not.
 * - `skipped`: an operator moved the customer past it.
 */
export const EVENT_STATES = ['delivered', 'retrying', 'held', 'dead', 'skipped'] as const;
export type EventState = (typeof EVENT_STATES)[number];

/** The last outcomes that lead to each state. */
export const OUTCOMES_BY_STATE: Readonly<Record<EventState, readonly Attempt['outcome'][]>> = {
  delivered: ['delivered'],
  retrying: ['retry'],
  held: ['deauthorized', 'blocked', 'gone', 'retry'],
  dead: ['refused', 'internal', 'retry'],
  skipped: ['skipped'],
};

export interface EventFate {
  readonly state: EventState;
  /** The time of its next attempt, ms since the epoch. Only while retrying. */
  readonly nextDueMs?: number;
}

/**
 * @param last the event's latest attempt
 * @param firstAtMs when its attempts began
 * @param customer the present state of its customer
 */
export function fateOf(
  last: Pick<Attempt, 'attempt' | 'at' | 'durationMs' | 'outcome'>,
  firstAtMs: number,
  customer: EffectiveState,
  plan: RetryPlan,
): EventFate {
  switch (last.outcome) {
    case 'delivered':
      return { state: 'delivered' };
    case 'skipped':
      return { state: 'skipped' };
    case 'refused':
    case 'internal':
      return { state: 'dead' };
    case 'deauthorized':
    case 'blocked':
    case 'gone':
      return { state: 'held' };
    case 'retry': {
      const endedAtMs = last.at + last.durationMs;
      const next = planNext(plan, last.attempt, endedAtMs - firstAtMs);
      if (customer === 'disabled') return { state: 'held' };
      if (next.kind === 'exhausted') return { state: 'dead' };
      return { state: 'retrying', nextDueMs: Math.round(endedAtMs + laneDelayMs(next.delay)) };
    }
  }
}
