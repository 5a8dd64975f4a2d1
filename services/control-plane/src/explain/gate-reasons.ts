import type { CustomerStatus } from '../views/status.ts';
import type { WaitingRecord } from './waiting-records.ts';

/** Why nothing is sent to a customer, or not everything. */
export interface GateReason {
  readonly because:
    | 'awaits_approval'
    | 'paused'
    | 'disabled'
    | 'no_worker'
    | 'cannot_run'
    | 'retry_after'
    | 'deauthorized'
    | 'refusals'
    | 'blocked'
    | 'breaker'
    | 'rate'
    | 'not_due'
    | 'nothing_waits';
  /** As a sentence. */
  readonly detail: string;
  /** The correction, as a command or a sentence. */
  readonly cure?: string;
  /** When it ends by itself, ms since the epoch. */
  readonly untilMs?: number;
}

/** The longest time between two probes of a held connection. */
export const PROBE_WITHIN_MS = 60_000;

/**
 * The reasons in the order in which they are checked: mend the first one first. If there is none, events are sent.
 * @param waiting the number of records that are not done
 */
export function gateReasons(
  status: Pick<CustomerStatus, 'customer' | 'state' | 'awaitsApproval' | 'disabledBy' | 'runBy' | 'failing' | 'worker'>,
  waiting: readonly WaitingRecord[],
  nowMs: number,
): GateReason[] {
  const stopped = stoppedBecause(status);
  if (stopped !== undefined) return [stopped];
  const { worker, customer } = status;
  const reasons: GateReason[] = [];
  if (worker?.waitUntilMs !== undefined && worker.waitUntilMs > nowMs) {
    const detail = 'The destination asked to wait (Retry-After).';
    reasons.push({ because: 'retry_after', detail, untilMs: worker.waitUntilMs });
  }
  if (worker?.held !== undefined) {
    const { because, detail } = worker.held;
    reasons.push({ because, detail: `${HELD[because]}: ${detail}`, cure: cureOf(because, customer) });
  } else if (worker !== undefined && worker.breaker !== 'closed') {
    const detail = `The breaker is ${worker.breaker}: most attempts fail, and one event at a time is tried.`;
    reasons.push({ because: 'breaker', detail, cure: `databridge attempts ${customer} --outcome retry` });
  }
  if (waiting.length === 0) reasons.push({ because: 'nothing_waits', detail: 'Nothing waits for this customer.' });
  else if (waiting.every(({ dueAtMs }) => dueAtMs > nowMs)) {
    const untilMs = Math.min(...waiting.map(({ dueAtMs }) => dueAtMs));
    reasons.push({ because: 'not_due', detail: 'All that waits are retries that are not due yet.', untilMs });
  }
  return reasons;
}

/** Above this share of the stated rate, the limit bounds what is delivered: the measured rate fluctuates. */
const AT_LIMIT = 0.9;

/** The rate limit as the reason, if events wait and are delivered about as fast as it permits. */
export function rateReasons(
  customer: string,
  facts: { readonly ratePerSecond: number | undefined; readonly deliveredPerSecond: number; readonly records: number },
): GateReason[] {
  const { ratePerSecond: limit, deliveredPerSecond, records } = facts;
  // What waits for less than a second is no backlog.
  if (limit === undefined || records <= limit || deliveredPerSecond < AT_LIMIT * limit) return [];
  const detail = `Events wait because the subscription limits deliveries to ${limit} per second.`;
  const cure = `databridge subscriptions apply -f <file with a higher ratePerSecond for ${customer}>`;
  return [{ because: 'rate', detail, cure }];
}

const HELD = {
  deauthorized: 'The destination does not accept our credentials',
  refusals: 'The destination refused 20 events in a row',
  blocked: 'The destination has an address that may not be sent to',
} as const;

function cureOf(because: keyof typeof HELD, customer: string): string {
  if (because === 'deauthorized') return `databridge secrets set ${customer} <name>`;
  return because === 'refusals'
    ? `databridge subscriptions apply -f <file with the right URL of ${customer}>`
    : 'Correct the destination, or EGRESS_ALLOW of the workers';
}

function stoppedBecause(status: Parameters<typeof gateReasons>[0]) {
  const { customer, state, awaitsApproval, disabledBy, runBy, failing, worker } = status;
  if (state === 'paused' && awaitsApproval === true) {
    const detail = 'The customer is paused until an operator approves what it stated.';
    return reason('awaits_approval', detail, `databridge approve ${customer}`);
  }
  if (state === 'paused') {
    return reason('paused', 'The customer is paused.', `databridge resume ${customer}`);
  }
  if (state === 'disabled') {
    const by = disabledBy === 'operator' ? 'by an operator' : `by its worker: ${worker?.disabledBecause ?? 'unknown'}`;
    return reason('disabled', `The customer is disabled ${by}.`, `databridge enable ${customer}`);
  }
  if (failing !== undefined) {
    return reason('cannot_run', `Its worker cannot run it: ${failing}.`, 'databridge doctor');
  }
  return runBy === undefined ? reason('no_worker', 'No live worker runs it.', 'databridge workers') : undefined;
}

const reason = (because: GateReason['because'], detail: string, cure: string): GateReason => ({
  because,
  detail,
  cure,
});
