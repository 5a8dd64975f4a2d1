import type { Attempt } from '@databridge/schemas/records/attempts';
import { planNext, type RetryPlan } from '@databridge/schemas/retries/retry-plan';

export interface WaitingEvent {
  readonly eventId: string;
  readonly source: string | undefined;
  /** When its attempts began, since the customer was last enabled; ms since the epoch. */
  readonly firstAtMs: number;
  readonly attempts: number;
}

/** The limit per customer. Above it, later events are not remembered: only the oldest is needed. */
const MAX_PER_CUSTOMER = 10_000;

/** Events that were tried and are neither delivered nor given up, by customer, as the attempt log brings them. */
export class WaitingEvents {
  readonly #customers = new Map<string, Map<string, WaitingEvent>>();
  readonly #plan: RetryPlan;

  constructor(plan: RetryPlan) {
    this.#plan = plan;
  }

  add(customer: string, { eventId, replayId = '', source, attempt, at, outcome, test }: Attempt): void {
    if (test === true) return;
    const events = this.#customers.get(customer) ?? new Map<string, WaitingEvent>();
    this.#customers.set(customer, events);
    const key = `${eventId} ${replayId} ${source ?? ''}`;
    // The first attempt after an enabling restarts the budget.
    const firstAtMs = attempt === 1 ? at : (events.get(key)?.firstAtMs ?? at);
    if (!this.#isWaiting(outcome, attempt, at - firstAtMs)) {
      events.delete(key);
      return;
    }
    if (attempt === 1) events.delete(key);
    if (events.has(key) || events.size < MAX_PER_CUSTOMER)
      events.set(key, { eventId, source, firstAtMs, attempts: attempt });
  }

  /** The event whose attempts began first. */
  oldest(customer: string): WaitingEvent | undefined {
    // In the order in which they were first tried, which is nearly that of time.
    return this.#customers.get(customer)?.values().next().value;
  }

  /** These events are not tried any more. */
  forget(isErased: (event: WaitingEvent) => boolean): void {
    for (const events of this.#customers.values()) {
      for (const [key, event] of events) if (isErased(event)) events.delete(key);
    }
  }

  keepOnly(isKnown: (customer: string) => boolean): void {
    for (const customer of [...this.#customers.keys()]) if (!isKnown(customer)) this.#customers.delete(customer);
  }

  #isWaiting(outcome: Attempt['outcome'], attempt: number, sinceFirstMs: number): boolean {
    if (outcome === 'retry') return planNext(this.#plan, attempt, sinceFirstMs).kind === 'retry';
    return outcome === 'deauthorized' || outcome === 'blocked' || outcome === 'gone';
  }
}
