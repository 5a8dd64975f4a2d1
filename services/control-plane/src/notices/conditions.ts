/** The conditions that operators and customers are notified of, derived from the status of customers. Pure. */
import type { CustomerStatus } from '../views/status.ts';

export const NOTICE_KINDS = [
  'disabled',
  'held',
  'behind',
  'budget',
  'dead-letters',
  'certificate',
  'not-running',
  'quarantine',
  'deletion',
  'secret',
  'invitation',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

export type Severity = 'information' | 'warning' | 'critical';

/** A present state that somebody should know of. */
export interface Condition {
  readonly kind: NoticeKind;
  /** If omitted, it concerns only operators. */
  readonly customer?: string;
  readonly severity: Severity;
  /** A condition whose level rises is announced again. Levels of one kind are comparable. */
  readonly level: number;
  readonly sinceMs: number;
  /** Full sentences: what happened, what is lost, what to do. They contain neither payloads nor secrets. */
  readonly text: string;
}

export interface CustomerFacts
  extends Pick<CustomerStatus, 'customer' | 'state' | 'disabledBy' | 'runBy' | 'worker' | 'lagByLane' | 'deadRecords'> {
  /**
   * Since when every attempt failed, and when its worker will disable it unless one succeeds. Absent if it does not
   * fail.
   */
  readonly outage?: { readonly sinceMs: number; readonly disablesAtMs: number };
  /** The records that retention deletes within a week. */
  readonly expiring?: { readonly waiting: number; readonly deadLetters: number };
  /** During a rotation: the place of the earlier secret whose use ends first, and the time. */
  readonly fallback?: { readonly place: string; readonly untilMs: number };
  /** The latest invitation that was answered. */
  readonly answered?: { readonly kind: 'secrets' | 'setup'; readonly atMs: number; readonly awaitsApproval: boolean };
  /** When its client certificate expires. */
  readonly certificateEndsAtMs?: number;
}

export interface FleetFacts {
  readonly customers: readonly CustomerFacts[];
  /** The number of records in quarantine. */
  readonly quarantined: number;
}

/** A customer without a success for this long, with records waiting, is behind. */
const BEHIND_AFTER_MS = 15 * 60_000;
/** The shares of the time until a customer is disabled at which it is notified. */
const BUDGET_LEVELS = [0.5, 0.7, 0.9] as const;
const DAY_MS = 86_400_000;
/** Days before the expiry of a certificate at which its customer is notified. */
const CERTIFICATE_DAYS = [30, 7, 1] as const;

/** Days before the use of an earlier secret ends, during a rotation. */
const FALLBACK_ENDS_WITHIN_MS = 6 * 3_600_000;
/** An older answer is not announced when notices are switched on. */
const ANSWER_IS_NEWS_MS = DAY_MS;

export function conditionsOf({ customers, quarantined }: FleetFacts, nowMs: number): Condition[] {
  const found = customers.flatMap((facts) => conditionsOfCustomer(facts, nowMs));
  if (quarantined > 0) {
    found.push({
      ...{ kind: 'quarantine', severity: 'warning', level: quarantined, sinceMs: nowMs },
      text: `Records that can't be read are in quarantine: ${quarantined.toLocaleString('en-US')}; nothing is lost. "databridge quarantine list" shows the reasons.`,
    });
  }
  return found;
}

function conditionsOfCustomer(facts: CustomerFacts, nowMs: number): Condition[] {
  return [disabled, held, behind, budget, deadLetters, certificate, notRunning, deletion, secret, invitation].flatMap(
    (judge) => judge(facts, nowMs) ?? [],
  );
}

type Judge = (facts: CustomerFacts, nowMs: number) => Condition | undefined;

const disabled: Judge = ({ customer, state, disabledBy, worker, lagByLane }, nowMs) => {
  if (state !== 'disabled') return undefined;
  const because = worker?.disabledBecause;
  const by =
    disabledBy === 'operator'
      ? 'by an operator'
      : because === undefined
        ? 'by its worker'
        : `by its worker: ${because}`;
  return {
    ...{ kind: 'disabled', customer, severity: 'critical', level: 1 },
    sinceMs: disabledBy === 'worker' && worker !== undefined ? worker.at : nowMs,
    text: `Deliveries to "${customer}" are disabled ${by}. ${waitingText(lagByLane)} Mend the endpoint, then enable deliveries: "databridge subscriptions enable ${customer}".`,
  };
};

const held: Judge = ({ customer, state, worker, lagByLane }) => {
  if (state !== 'active' || worker?.held === undefined) return undefined;
  const { sinceMs, because } = worker.held;
  const cause = {
    deauthorized: 'the endpoint does not accept the authentication (401, 403 or 407)',
    refusals: 'the endpoint refused many events in a row',
    blocked: 'the destination may not be sent to from here',
  }[because];
  return {
    ...{ kind: 'held', customer, severity: 'warning', level: 1, sinceMs },
    text: `Deliveries to "${customer}" are held since ${timeText(sinceMs)}: ${cause}. ${waitingText(lagByLane)} Deliveries go on by themselves once a probe succeeds.`,
  };
};

const behind: Judge = ({ customer, state, worker, lagByLane }, nowMs) => {
  const lastMs = worker?.lastSuccessAtMs;
  if (state !== 'active' || worker?.held !== undefined || lastMs === undefined) return undefined;
  if (waiting(lagByLane) === 0 || nowMs - lastMs < BEHIND_AFTER_MS) return undefined;
  return {
    ...{ kind: 'behind', customer, severity: 'warning', level: 1, sinceMs: lastMs },
    text: `Nothing was delivered to "${customer}" since ${timeText(lastMs)}. ${waitingText(lagByLane)} "databridge status ${customer}" says why.`,
  };
};

const budget: Judge = ({ customer, state, outage }, nowMs) => {
  if (state !== 'active' || outage === undefined) return undefined;
  const { sinceMs, disablesAtMs } = outage;
  const used = (nowMs - sinceMs) / Math.max(disablesAtMs - sinceMs, 1);
  const level = BUDGET_LEVELS.findLastIndex((share) => used >= share);
  if (level < 0) return undefined;
  const percent = (BUDGET_LEVELS[level] ?? 0) * 100;
  return {
    ...{ kind: 'budget', customer, severity: level === 2 ? 'critical' : 'warning', level, sinceMs },
    text: `Every attempt to deliver to "${customer}" failed since ${timeText(sinceMs)}: ${percent} % of the time for retries is used. Deliveries will be disabled at ${timeText(disablesAtMs)} unless an attempt succeeds before.`,
  };
};

const deadLetters: Judge = ({ customer, deadRecords }, nowMs) => {
  if (deadRecords === 0) return undefined;
  return {
    ...{ kind: 'dead-letters', customer, severity: 'information', level: deadRecords, sinceMs: nowMs },
    text: `"${customer}" has up to ${counted(deadRecords, 'dead letter')}: events that its endpoint refused. "databridge dead-letters list ${customer}" shows the reasons; they can be sent again.`,
  };
};

const certificate: Judge = ({ customer, certificateEndsAtMs }, nowMs) => {
  if (certificateEndsAtMs === undefined) return undefined;
  const level = CERTIFICATE_DAYS.findLastIndex((days) => certificateEndsAtMs - nowMs <= days * DAY_MS);
  if (level < 0) return undefined;
  const firstMs = certificateEndsAtMs - CERTIFICATE_DAYS[0] * DAY_MS;
  const hasEnded = certificateEndsAtMs <= nowMs;
  return {
    ...{ kind: 'certificate', customer, severity: level === 2 ? 'critical' : 'warning', level, sinceMs: firstMs },
    text: `The client certificate of "${customer}" ${hasEnded ? 'ended' : 'ends'} at ${timeText(certificateEndsAtMs)}. Set a new one before the endpoint refuses it.`,
  };
};

const notRunning: Judge = ({ customer, state, runBy }, nowMs) => {
  if (state !== 'active' || runBy !== undefined) return undefined;
  return {
    ...{ kind: 'not-running', customer, severity: 'critical', level: 1, sinceMs: nowMs },
    text: `No live worker delivers to "${customer}". Nothing is lost. "databridge workers" shows which workers live.`,
  };
};

const deletion: Judge = ({ customer, expiring }, nowMs) => {
  if (expiring === undefined || expiring.waiting + expiring.deadLetters === 0) return undefined;
  const parts = [
    ...(expiring.waiting > 0 ? [`up to ${counted(expiring.waiting, 'waiting event')}`] : []),
    ...(expiring.deadLetters > 0 ? [`up to ${counted(expiring.deadLetters, 'dead letter')}`] : []),
  ];
  const cure = `Resume or redrive them, or raise "retention" of the subscription.`;
  return {
    ...{
      kind: 'deletion',
      customer,
      severity: expiring.waiting > 0 ? 'critical' : 'warning',
      level: 1,
      sinceMs: nowMs,
    },
    text: `Of "${customer}", ${parts.join(' and ')} will be deleted within a week, because the time for which they are kept ends. ${cure}`,
  };
};

const secret: Judge = ({ customer, fallback }, nowMs) => {
  if (fallback === undefined || fallback.untilMs <= nowMs) return undefined;
  if (fallback.untilMs - nowMs > FALLBACK_ENDS_WITHIN_MS) return undefined;
  return {
    ...{ kind: 'secret', customer, severity: 'information', level: 1 },
    sinceMs: fallback.untilMs - FALLBACK_ENDS_WITHIN_MS,
    text: `The earlier secret at ${fallback.place} of "${customer}" is used until ${timeText(fallback.untilMs)}, then the new one alone. The endpoint must accept the new one by then.`,
  };
};

const invitation: Judge = ({ customer, answered }, nowMs) => {
  if (answered === undefined || nowMs - answered.atMs > ANSWER_IS_NEWS_MS) return undefined;
  const what =
    answered.kind === 'setup'
      ? `"${customer}" has set itself up`
      : `"${customer}" has entered the secrets that it was asked for`;
  const next = answered.awaitsApproval
    ? ` No event is sent before it is approved: "databridge approve ${customer}".`
    : '';
  return {
    ...{ kind: 'invitation', customer, severity: 'information', level: answered.atMs, sinceMs: answered.atMs },
    text: `The invitation was answered at ${timeText(answered.atMs)}: ${what}.${next}`,
  };
};

function waiting(lagByLane: CustomerFacts['lagByLane']): number {
  return Object.values(lagByLane).reduce((sum, records) => sum + records, 0);
}

function waitingText(lagByLane: CustomerFacts['lagByLane']): string {
  const records = waiting(lagByLane);
  if (records === 0) return 'No event waits.';
  return `${counted(records, 'event')} ${records === 1 ? 'waits' : 'wait'}; nothing is lost.`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** The form is `2026-11-26 09:12 UTC`. */
function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
