import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import {
  connectionOf,
  type EffectiveState,
  effectiveState,
  type WorkerStatus,
  withoutOldHolds,
} from '@databridge/schemas/records/status';
import { deadTopic, deliveryGroup } from '@databridge/schemas/records/topics';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { matchesEveryCompany } from '@databridge/schemas/subscription/routing';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { OutcomeCounts } from './attempts/attempt-rollups.ts';
import type { WaitingEvent } from './attempts/waiting-events.ts';
import { lanesAmong, topicsByCustomer } from './customer-lanes.ts';
import { invalidFilter } from './invalid-filter.ts';
import type { SeenWorker } from './worker-table.ts';

export interface CustomerStatus {
  readonly customer: string;
  readonly state: EffectiveState;
  /** It is paused, or disabled, until an operator approves what the customer stated by an invitation. */
  readonly awaitsApproval?: true;
  /** Only while disabled. */
  readonly disabledBy?: 'operator' | 'worker';
  /** The live worker that runs it now. Absent while active: no worker does. */
  readonly runBy?: string;
  /** It gets the events of all companies, which is seldom meant. */
  readonly matchesEveryCompany?: true;
  /** Why its worker can't run it. */
  readonly failing?: string;
  /** Why fan-out can't use its stored filter; completes "filter …". Meanwhile the customer gets what `match` lets through. */
  readonly invalidFilter?: string;
  /** The findings of its worker, if it has reported them. Holds that an operator has released since are not in it. */
  readonly worker: WorkerStatus | undefined;
  /** As the worker or the attempt log tell, whichever is newer: status records are written a little later. */
  readonly lastSuccessAtMs?: number;
  /** Records from the committed offset to the end by lane, `main` first; finished ones beyond it count too. */
  readonly lagByLane: Readonly<Record<string, number>>;
  /** Records in the dead-letter topic: an upper bound, since tombstones that are not compacted away count too. */
  readonly deadRecords: number;
  /** Attempts of the last 24 hours by outcome. */
  readonly attempts: OutcomeCounts;
  readonly oldestWaiting?: WaitingEvent;
  /** The largest number of attempts at an event, and the time for which it is tried. */
  readonly budget: Pick<RetryPlan, 'maxAttempts' | 'windowMs'>;
  /** When its worker disables it, unless a delivery succeeds before. */
  readonly disablesAtMs?: number;
}

type Context = Pick<
  ControlPlaneContext,
  | 'admin'
  | 'subscriptions'
  | 'workerStatuses'
  | 'workers'
  | 'attemptCounts'
  | 'lastDelivered'
  | 'oldestWaiting'
  | 'retryPlan'
  | 'watermarks'
>;

/** The number of groups whose offsets are requested at once. */
const GROUPS_AT_ONCE = 32;

/**
 * The status of customers by name, from live views: no topic is read.
 * @param names left out: all. @throws {DatabridgeError} DB_NOT_FOUND if one is not known
 */
export async function customerStatuses(context: Context, names?: readonly string[]): Promise<CustomerStatus[]> {
  const [subscriptions, statuses, topics] = await Promise.all([
    context.subscriptions(),
    context.workerStatuses(),
    context.admin.listTopics(),
  ]);
  const asked = names ?? [...subscriptions.keys()];
  refuseUnknown(asked, subscriptions);
  const chosen = asked.flatMap((name) => subscriptions.get(name) ?? []);
  const [lags, attempts] = await Promise.all([lagsOf(context, asked, topics), context.attemptCounts(asked)]);
  const { runners, failures } = runningIn(context.workers());
  const { retryPlan } = context;
  const nowMs = systemClock.nowMs();
  return chosen
    .map((subscription): CustomerStatus => {
      const { customer } = subscription;
      const state = effectiveState(subscription, statuses.get(customer));
      const runBy = runners.get(customer);
      const failing = failures.get(customer);
      const unusable = invalidFilter(subscription);
      const lag = lags.get(customer);
      const oldestWaiting = context.oldestWaiting(customer);
      const worker = statusNow(subscription, statuses.get(customer), nowMs);
      const lastSuccessAtMs = Math.max(worker?.lastSuccessAtMs ?? 0, context.lastDelivered(customer) ?? 0);
      return {
        customer,
        state,
        ...(subscription.awaitsApproval === true && { awaitsApproval: true as const }),
        ...(state === 'disabled' && { disabledBy: subscription.state === 'disabled' ? 'operator' : 'worker' }),
        ...(runBy !== undefined && { runBy }),
        ...(failing !== undefined && { failing }),
        ...(matchesEveryCompany(subscription.match) && { matchesEveryCompany: true as const }),
        ...(unusable !== undefined && { invalidFilter: unusable }),
        worker,
        ...(lastSuccessAtMs > 0 && { lastSuccessAtMs }),
        lagByLane: lag?.byLane ?? {},
        deadRecords: lag?.dead ?? 0,
        attempts: attempts.get(customer) ?? {},
        ...(oldestWaiting !== undefined && { oldestWaiting }),
        budget: { maxAttempts: retryPlan.maxAttempts, windowMs: retryPlan.windowMs },
        ...(state === 'active' && disablingOf(worker, lastSuccessAtMs, oldestWaiting, retryPlan.windowMs)),
      };
    })
    .sort((a, b) => (a.customer < b.customer ? -1 : 1));
}

/**
 * A hold that lasts for the retry window disables the customer; so does an event that was tried for so long, if nothing
 * was accepted meanwhile.
 */
function disablingOf(
  worker: Pick<WorkerStatus, 'held'> | undefined,
  lastSuccessAtMs: number,
  waiting: WaitingEvent | undefined,
  windowMs: number,
): { readonly disablesAtMs?: number } {
  if (worker?.held !== undefined) return { disablesAtMs: worker.held.sinceMs + windowMs };
  if (waiting === undefined || lastSuccessAtMs >= waiting.firstAtMs) return {};
  return { disablesAtMs: waiting.firstAtMs + windowMs };
}

/** A hold that was mended, and a wait that is over, end at once: not when the worker next writes. */
function statusNow(
  subscription: Subscription,
  status: WorkerStatus | undefined,
  nowMs: number,
): WorkerStatus | undefined {
  if (status === undefined) return undefined;
  const current = withoutOldHolds(status, connectionOf(subscription));
  const { waitUntilMs, ...rest } = current;
  return waitUntilMs !== undefined && waitUntilMs <= nowMs ? rest : current;
}

/** Which live worker runs a customer, and why one can't. */
export function runningIn(workers: readonly SeenWorker[]): {
  readonly runners: ReadonlyMap<string, string>;
  readonly failures: ReadonlyMap<string, string>;
} {
  const alive = workers.filter(({ isAlive }) => isAlive).map(({ report }) => report);
  return {
    runners: new Map(
      alive.flatMap(({ worker, customers }) => customers.map((customer) => [customer, worker] as const)),
    ),
    failures: new Map(
      alive.flatMap(({ failing }) => failing.map(({ customer, because }) => [customer, because] as const)),
    ),
  };
}

/** Active customers that no live worker runs. */
export async function unattendedCustomers(
  context: Pick<ControlPlaneContext, 'subscriptions' | 'workerStatuses' | 'workers'>,
): Promise<string[]> {
  const [subscriptions, statuses] = await Promise.all([context.subscriptions(), context.workerStatuses()]);
  const { runners } = runningIn(context.workers());
  return [...subscriptions.values()]
    .filter((one) => effectiveState(one, statuses.get(one.customer)) === 'active' && !runners.has(one.customer))
    .map(({ customer }) => customer)
    .sort();
}

function refuseUnknown(names: readonly string[], known: ReadonlyMap<string, unknown>): void {
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new DatabridgeError('DB_NOT_FOUND', `There is no customer ${unknown.map((name) => `"${name}"`).join(', ')}`);
}

interface Lag {
  /** From the committed offset to the end, `main` first. */
  readonly byLane: Readonly<Record<string, number>>;
  /** Records in the dead-letter topic, tombstones included. */
  readonly dead: number;
}

/** @param topics all that exist */
export async function lagsOf(
  { admin, watermarks }: Pick<ControlPlaneContext, 'admin' | 'watermarks'>,
  customers: readonly string[],
  topics: readonly string[],
): Promise<Map<string, Lag>> {
  const existing = new Set(topics);
  const own = topicsByCustomer(topics);
  const lanes = new Map(customers.map((customer) => [customer, lanesAmong(own.get(customer) ?? [], customer)]));
  const asked = customers.flatMap((customer) => {
    const dead = deadTopic(customer);
    return [...(lanes.get(customer)?.keys() ?? []), ...(existing.has(dead) ? [dead] : [])];
  });
  const committed = new Map<string, number>();
  const left = [...customers];
  const askGroups = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      for (const { topic, partition, offset } of await admin.committedOffsets(deliveryGroup(next))) {
        committed.set(`${topic}/${partition}`, offset);
      }
    }
  };
  const [ends] = await Promise.all([watermarks(asked), ...Array.from({ length: GROUPS_AT_ONCE }, askGroups)]);
  const sumOf = (topic: string, from: (place: string, low: number) => number) =>
    (ends.get(topic) ?? []).reduce((sum, { partition, low, high }) => {
      return sum + high - Math.max(low, from(`${topic}/${partition}`, low));
    }, 0);
  return new Map(
    customers.map((customer) => {
      const byLane = [...(lanes.get(customer) ?? [])].map(([topic, lane]) => {
        return [lane, sumOf(topic, (place, low) => committed.get(place) ?? low)] as const;
      });
      return [customer, { byLane: Object.fromEntries(byLane), dead: sumOf(deadTopic(customer), (_, low) => low) }];
    }),
  );
}
