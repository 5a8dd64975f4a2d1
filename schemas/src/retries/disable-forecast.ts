import { planNext, type RetryPlan } from './retry-plan.ts';

/** An event that waits for its next attempt. */
export interface WaitingAttempt {
  /** The number of attempts made since the customer was last enabled. */
  readonly attempts: number;
  /** The time of its first attempt by the wall clock in ms; for an event that was never tried, now. */
  readonly firstAttemptAtMs: number;
  /** When its next attempt is due, wall clock, ms. */
  readonly dueAtMs: number;
}

export interface FailingCustomer {
  readonly plan: RetryPlan;
  readonly nowMs: number;
  readonly lastSuccessAtMs: number | undefined;
  readonly waiting: readonly WaitingAttempt[];
  /** The duration of a failing attempt. */
  readonly attemptMs: number;
  /**
   * While the breaker is open or the connection held, one event at a time is tried: at `nextAtMs`, and then at
   * intervals.
   */
  readonly probes?: { readonly everyMs: number; readonly nextAtMs: number };
  /**
   * The connection is held since then: no attempts of events are used up, and the customer is disabled after a whole
   * window without success.
   */
  readonly heldSinceMs?: number;
  /** Nothing is sent before this time, as the destination asked. */
  readonly waitUntilMs?: number;
}

/**
 * When the customer will be disabled if no attempt succeeds until then: the event that first uses up its attempts or
 * its window decides. It follows the retry plan attempt by attempt, as delivery does.
 * @returns wall clock, ms; undefined if no event leads to it
 */
export function disabledAtMs(customer: FailingCustomer): number | undefined {
  const { plan, nowMs, probes, heldSinceMs, lastSuccessAtMs = Number.NEGATIVE_INFINITY } = customer;
  if (heldSinceMs !== undefined) {
    const overAtMs = Math.max(nowMs, heldSinceMs + plan.windowMs);
    return probes === undefined ? overAtMs : probeAt(probes, overAtMs) + customer.attemptMs;
  }
  // Another event was accepted since the first attempt: this one becomes a dead letter, and the customer stays enabled.
  const events = customer.waiting.filter(({ firstAttemptAtMs }) => firstAttemptAtMs > lastSuccessAtMs);
  if (events.length === 0) return undefined;
  if (probes !== undefined) return probedUntilMs(events, customer, probes);
  return events.reduce((first, event) => Math.min(first, triedUntilMs(event, customer)), Number.POSITIVE_INFINITY);
}

/** Each event is tried as soon as it is due, and its last attempt has failed. */
function triedUntilMs(event: WaitingAttempt, customer: FailingCustomer): number {
  let tried = event;
  for (;;) {
    const startsAtMs = Math.max(tried.dueAtMs, customer.nowMs, customer.waitUntilMs ?? 0);
    const next = failed(tried, startsAtMs, customer);
    if (typeof next === 'number') return next;
    tried = next;
  }
}

/** Only the oldest can be the first to use up its budget, so only those are followed. */
const MAX_FOLLOWED = 50;

/** The events share the probes: of those that are due, the one with the oldest first attempt is tried. */
function probedUntilMs(
  events: readonly WaitingAttempt[],
  customer: FailingCustomer,
  probes: NonNullable<FailingCustomer['probes']>,
): number {
  const byAge = (one: WaitingAttempt, other: WaitingAttempt) =>
    one.firstAttemptAtMs - other.firstAttemptAtMs || one.dueAtMs - other.dueAtMs;
  const followed = events.toSorted(byAge).slice(0, MAX_FOLLOWED);
  let fromMs = Math.max(customer.nowMs, customer.waitUntilMs ?? 0);
  for (;;) {
    const firstDueAtMs = followed.reduce((first, { dueAtMs }) => Math.min(first, dueAtMs), Number.POSITIVE_INFINITY);
    const startsAtMs = probeAt(probes, Math.max(fromMs, firstDueAtMs));
    const due = followed.filter(({ dueAtMs }) => dueAtMs <= startsAtMs);
    const tried = due.reduce((oldest, one) => (byAge(one, oldest) < 0 ? one : oldest));
    const next = failed(tried, startsAtMs, customer);
    if (typeof next === 'number') return next;
    followed[followed.indexOf(tried)] = next;
    fromMs = startsAtMs + Math.max(1, probes.everyMs / 2);
  }
}

/** Counts one more attempt, which fails. @returns when it had failed, if that was the event's last */
function failed(
  event: WaitingAttempt,
  startsAtMs: number,
  { plan, attemptMs }: FailingCustomer,
): WaitingAttempt | number {
  const failedAtMs = startsAtMs + attemptMs;
  const attempts = event.attempts + 1;
  const next = planNext(plan, attempts, failedAtMs - event.firstAttemptAtMs);
  if (next.kind === 'exhausted') return failedAtMs;
  const delayMs = plan.steps.find(({ delay }) => delay === next.delay)?.delayMs ?? 0;
  return { attempts, firstAttemptAtMs: event.firstAttemptAtMs, dueAtMs: failedAtMs + delayMs };
}

/** The first probe at that time or later. */
function probeAt({ everyMs, nextAtMs }: NonNullable<FailingCustomer['probes']>, atMs: number): number {
  return nextAtMs + Math.max(0, Math.ceil((atMs - nextAtMs) / Math.max(1, everyMs))) * everyMs;
}

export interface Backlog {
  readonly nowMs: number;
  /** The number of records that may be sent now, or as soon as the rate allows. */
  readonly records: number;
  readonly deliveredPerSecond: number;
  readonly arrivingPerSecond: number;
  /** When the last of the retries is due. */
  readonly lastDueAtMs?: number;
}

export type Drain =
  | { readonly kind: 'empty' }
  | { readonly kind: 'drained'; readonly atMs: number }
  /** At least as many events arrive as are delivered. */
  | { readonly kind: 'growing' }
  /** No event was delivered recently: there is no rate to calculate with. */
  | { readonly kind: 'stopped' };

/** When no event waits any more, at the present rate. */
export function drainOf({ nowMs, records, deliveredPerSecond, arrivingPerSecond, lastDueAtMs = 0 }: Backlog): Drain {
  if (records === 0) return lastDueAtMs === 0 ? { kind: 'empty' } : { kind: 'drained', atMs: lastDueAtMs };
  if (deliveredPerSecond <= 0) return { kind: 'stopped' };
  const perSecond = deliveredPerSecond - arrivingPerSecond;
  if (perSecond <= 0) return { kind: 'growing' };
  return { kind: 'drained', atMs: Math.max(lastDueAtMs, nowMs + (records / perSecond) * 1_000) };
}
