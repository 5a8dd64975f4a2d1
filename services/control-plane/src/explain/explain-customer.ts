import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import type { EffectiveState } from '@databridge/schemas/records/status';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { type Drain, disabledAtMs, drainOf } from '@databridge/schemas/retries/disable-forecast';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { ControlPlaneContext } from '../context.ts';
import type { AttemptView } from '../views/attempts/attempt-view.ts';
import { type CustomerStatus, customerStatuses } from '../views/status.ts';
import { type GateReason, gateReasons, PROBE_WITHIN_MS, rateReasons } from './gate-reasons.ts';
import { type Pace, paceOf } from './pace.ts';
import { type WaitingRecord, waitingAttempt, waitingRecords } from './waiting-records.ts';

export interface CustomerExplanation {
  readonly customer: string;
  readonly state: EffectiveState;
  readonly runBy?: string;
  /** Why nothing is sent, only probes, or not everything; mend the first one first. Empty if events are sent. */
  readonly gate: readonly GateReason[];
  /** Absent if no attempt will be made in the present state. */
  readonly nextAttempt?: {
    readonly atMs: number;
    readonly lane: string;
    readonly eventId: string;
    readonly attempt: number;
    /** The latest time: only the worker knows the exact one. */
    readonly isAtLatest: boolean;
  };
  readonly backlog: { readonly records: number; readonly byLane: Readonly<Record<string, number>> };
  readonly deliveredPerSecond: number;
  readonly arrivingPerSecond: number;
  readonly drain: Drain;
  /** The budget of the event that has used most of it; absent if none has failed. */
  readonly budget?: {
    readonly eventId: string;
    readonly attempts: number;
    readonly maxAttempts: number;
    readonly usedMs: number;
    readonly windowMs: number;
  };
  /** When the customer will be disabled unless an attempt succeeds until then. */
  readonly disabling?: { readonly atMs: number; readonly because: string };
  /** True if a retry lane has more records than were read: the forecast uses those that were. */
  readonly isPartial: boolean;
}

export type ExplainContext = Pick<
  ControlPlaneContext,
  | 'admin'
  | 'kafka'
  | 'erasures'
  | 'subscriptions'
  | 'workerStatuses'
  | 'workers'
  | 'attemptCounts'
  | 'lastDelivered'
  | 'oldestWaiting'
  | 'watermarks'
> & { readonly retryPlan: RetryPlan };

/** Rates are those of the last few minutes. */
const RECENTLY_MS = 120_000;
const MAX_ATTEMPTS = 5_000;
const MOST = { main: 1, retry: 20_000 };

/** @throws {DatabridgeError} DB_NOT_FOUND */
export async function explainCustomer(
  context: ExplainContext,
  attempts: Pick<AttemptView, 'find'>,
  customer: string,
  nowMs = systemClock.nowMs(),
): Promise<CustomerExplanation> {
  const [status] = await customerStatuses(context, [customer]);
  const subscription = (await context.subscriptions()).get(customer);
  if (status === undefined || subscription === undefined) {
    throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  }
  const { records: waiting, isPartial } = await waitingRecords(context, [customer], MOST);
  const recent = attempts.find({ customer, fromMs: nowMs - RECENTLY_MS, limit: MAX_ATTEMPTS });
  const pace = paceOf(
    recent.map(({ attempt }) => attempt),
    nowMs,
  );
  const arrivingPerSecond = await arrivalsOf(context, customer, nowMs);
  const { enableEpoch, ratePerSecond } = subscription;
  const facts = { status, waiting, pace, plan: context.retryPlan, enableEpoch, ratePerSecond, nowMs };
  return { ...explained(facts, arrivingPerSecond), isPartial };
}

export interface CustomerFacts {
  readonly status: CustomerStatus;
  readonly waiting: readonly WaitingRecord[];
  readonly pace: Pace;
  readonly plan: RetryPlan;
  readonly enableEpoch: number;
  /** The stated limit. undefined: none. */
  readonly ratePerSecond?: number | undefined;
  readonly nowMs: number;
}

/** Derives the explanation from the facts. Pure. */
export function explained(facts: CustomerFacts, arrivingPerSecond: number): Omit<CustomerExplanation, 'isPartial'> {
  const { status, waiting, pace, nowMs } = facts;
  const closed = gateReasons(status, waiting, nowMs);
  const { main = 0, ...retries } = status.lagByLane;
  const { deliveredPerSecond } = pace;
  const { ratePerSecond } = facts;
  const limited = rateReasons(status.customer, { ratePerSecond, deliveredPerSecond, records: main });
  const gate = closed.length > 0 ? closed : limited;
  const lastDueAtMs = Math.max(0, ...waiting.filter(({ lane }) => lane !== 'main').map(({ dueAtMs }) => dueAtMs));
  const drain = drainOf({ nowMs, records: main, deliveredPerSecond, arrivingPerSecond, lastDueAtMs });
  const goesOut = gate.every(({ because }) => OPEN.has(because));
  const nextAttempt = nextAttemptOf(facts, gate);
  const budget = budgetOf(facts);
  const disabling = disablingOf(facts);
  return {
    ...{ customer: status.customer, state: status.state, gate },
    ...(status.runBy !== undefined && { runBy: status.runBy }),
    ...(nextAttempt && { nextAttempt }),
    backlog: { records: main + Object.values(retries).reduce((sum, one) => sum + one, 0), byLane: status.lagByLane },
    ...{
      deliveredPerSecond,
      arrivingPerSecond,
      drain: goesOut || drain.kind === 'empty' ? drain : { kind: 'stopped' },
    },
    ...(budget && { budget }),
    ...(disabling && { disabling }),
  };
}

/** Reasons that do not keep events that are due from being sent. */
const OPEN: ReadonlySet<GateReason['because']> = new Set(['rate', 'not_due', 'nothing_waits']);
/** Reasons for which nothing at all is sent, however long one waits. */
const SHUT: ReadonlySet<GateReason['because']> = new Set([
  'awaits_approval',
  'paused',
  'disabled',
  'no_worker',
  'cannot_run',
]);

function nextAttemptOf({ waiting, pace, status, nowMs }: CustomerFacts, gate: readonly GateReason[]) {
  const [first] = waiting.toSorted((one, other) => one.dueAtMs - other.dueAtMs);
  if (first === undefined || gate.some(({ because }) => SHUT.has(because))) return undefined;
  const dueAtMs = Math.max(nowMs, first.dueAtMs, status.worker?.waitUntilMs ?? 0);
  const { lane, facts } = first;
  const named = { lane, eventId: facts.eventId, attempt: facts.attempt + 1 };
  const isProbed = status.worker?.held !== undefined || (status.worker?.breaker ?? 'closed') !== 'closed';
  if (!isProbed) return { ...named, atMs: dueAtMs, isAtLatest: false };
  const everyMs = status.worker?.held === undefined ? pace.everyMs : PROBE_WITHIN_MS;
  const probeAtMs = (pace.lastAtMs ?? nowMs) + (everyMs ?? PROBE_WITHIN_MS);
  return { ...named, atMs: Math.max(dueAtMs, probeAtMs), isAtLatest: true };
}

function budgetOf({ waiting, plan, enableEpoch, nowMs }: CustomerFacts): CustomerExplanation['budget'] {
  const { maxAttempts, windowMs } = plan;
  const used = waiting.flatMap((record) => {
    const { attempts, firstAttemptAtMs } = waitingAttempt(record, enableEpoch, nowMs);
    const usedMs = Math.max(0, nowMs - firstAttemptAtMs);
    return attempts === 0 ? [] : [{ eventId: record.facts.eventId, attempts, maxAttempts, usedMs, windowMs }];
  });
  const shareOf = (one: { attempts: number; usedMs: number }) =>
    Math.max(one.attempts / maxAttempts, one.usedMs / windowMs);
  return used.toSorted((one, other) => shareOf(other) - shareOf(one))[0];
}

function disablingOf({ status, waiting, pace, plan, enableEpoch, nowMs }: CustomerFacts) {
  const { worker } = status;
  if (status.state !== 'active' || waiting.length === 0) return undefined;
  const isProbed =
    (worker?.held !== undefined || (worker?.breaker ?? 'closed') !== 'closed') && pace.everyMs !== undefined;
  const tried = waiting
    .map((record) => waitingAttempt(record, enableEpoch, nowMs))
    .filter(({ attempts }) => attempts > 0);
  const atMs = disabledAtMs({
    ...{ plan, nowMs, waiting: tried, attemptMs: pace.failedAfterMs, lastSuccessAtMs: status.lastSuccessAtMs },
    ...(isProbed && {
      probes: { everyMs: pace.everyMs, nextAtMs: Math.max(nowMs, (pace.lastAtMs ?? nowMs) + pace.everyMs) },
    }),
    ...(worker?.held && { heldSinceMs: worker.held.sinceMs }),
    ...(worker?.waitUntilMs !== undefined && { waitUntilMs: worker.waitUntilMs }),
  });
  return atMs === undefined ? undefined : { atMs, because: worker?.held?.because ?? 'exhausted' };
}

/** The rate at which fan-out wrote to the main lane recently. */
async function arrivalsOf({ admin, watermarks }: ExplainContext, customer: string, nowMs: number): Promise<number> {
  const topic = deliveryTopic(customer);
  const ends = (await watermarks([topic])).get(topic);
  if (ends === undefined || ends.length === 0) return 0;
  const starts = new Map(
    (await admin.offsetsAtTime(topic, nowMs - RECENTLY_MS)).map(({ partition, offset }) => [partition, offset]),
  );
  const arrived = ends.reduce(
    (sum, { partition, high }) => sum + high - Math.min(high, starts.get(partition) ?? high),
    0,
  );
  return arrived / (RECENTLY_MS / 1_000);
}
