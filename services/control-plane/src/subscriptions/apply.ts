import { DatabridgeError } from '@databridge/kernel/errors';
import type { TopicMismatch } from '@databridge/kernel/kafka/admin/topic-creation';
import { systemClock } from '@databridge/kernel/time/clock';
import { customerTopics, deliveryTopic } from '@databridge/schemas/records/topics';
import type { Role } from '@databridge/schemas/rights/route-rights';
import {
  decodeSubscription,
  encodeSubscription,
  formatIssues,
  type Subscription,
} from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { keepWhileStopped } from '../upkeep/retention.ts';
import type { Written } from './changes.ts';
import { closedIssues } from './checks/refusals.ts';
import type { FileSubscription } from './kept-settings.ts';
import { type Plan, type Planning, planChange } from './plan-change.ts';

export interface AppliedCustomer {
  readonly customer: string;
  readonly change: 'created' | 'updated' | 'unchanged';
  /** The stored subscriptions, with sealed secrets. */
  readonly stored: Subscription;
}

export interface Applied {
  /** In the order given. */
  readonly customers: readonly AppliedCustomer[];
  readonly createdTopics: readonly string[];
  readonly mismatchedTopics: readonly TopicMismatch[];
}

/** The differences if a customer answers an invitation. */
export interface ByInvitation extends Pick<Planning, 'sealed' | 'awaitsApproval'> {
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Written in the same transaction. */
  readonly alongside?: readonly Written[];
}

/**
 * Applies the given subscriptions; other customers are not changed. Applying the same again changes nothing: a secret
 * that equals the stored one keeps its seal, which is compared without opening it.
 *
 * A customer's topics are created before its subscription is written, since fan-out writes to them at once.
 * @param role of the caller: field-rights.ts says what it may change @throws {DatabridgeError} DB_FORBIDDEN if the role
 *   may not make the change; DB_INPUT_INVALID if a subscription names a URL that nothing may be sent to: then nothing
 *   is done. DB_KAFKA_…: earlier subscriptions stay published, and applying again completes the rest
 */
export async function applySubscriptions(
  context: ControlPlaneContext,
  given: readonly FileSubscription[],
  role: Role = 'operator',
  { sealed, awaitsApproval, detail, alongside = [] }: ByInvitation = {},
): Promise<Applied> {
  const { admin, desk } = context;
  const stored = await context.subscriptions();
  refuseClosedUrls(given, stored, context);
  const planning = { desk, stored, role, nowMs: systemClock.nowMs(), sealed, awaitsApproval };
  const planned = await Promise.all(given.map((one) => planChange(one, planning)));
  const plans = planned.some(({ change }) => change === 'created') ? await enabled(context, planned) : planned;

  // Retry and dead-letter topics are made by delivery when it first needs them; those that exist are checked.
  const existing = new Set(await admin.listTopics());
  const topics = plans.flatMap(({ subscription: { customer } }) =>
    customerTopics(customer, context.retryDelays).filter(({ topic }) => {
      return topic === deliveryTopic(customer) || existing.has(topic);
    }),
  );
  const ensured = await admin.ensureTopics(topics);

  const changed = plans.filter(({ change }) => change !== 'unchanged');
  for (const { subscription } of changed) {
    // This comes first, so that not even a crash leaves a stopped customer with topics of short retention.
    if (subscription.state !== 'active') await keepWhileStopped(admin, subscription);
  }
  const changes = changed.map(({ subscription, change, before }) => ({
    what: change === 'created' ? ('create' as const) : ('replace' as const),
    customer: subscription.customer,
    before,
    after: subscription,
    ...(detail !== undefined && { detail }),
  }));
  if (changes.length + alongside.length > 0) await context.commit([...changes, ...alongside]);

  const customers = plans.map(({ subscription, change, before }) => ({
    ...{ customer: subscription.customer, change },
    stored: change === 'unchanged' && before !== undefined ? before : asStored(subscription),
  }));
  return { customers, createdTopics: ensured.created, mismatchedTopics: ensured.mismatched };
}

/** Refuses what no subscription may use: closed URLs, and roles of the workers' own AWS accounts. */
export function refuseClosedUrls(
  given: readonly FileSubscription[],
  stored: ReadonlyMap<string, Subscription>,
  context: Pick<ControlPlaneContext, 'egress' | 'ownAwsAccounts' | 'workers'>,
): void {
  const mistakes = given.flatMap(({ subscription }) => {
    const issues = closedIssues(subscription, stored.get(subscription.customer), context);
    return issues.length === 0 ? [] : [`customer "${subscription.customer}": ${formatIssues(issues)}`];
  });
  if (mistakes.length > 0) throw new DatabridgeError('DB_INPUT_INVALID', mistakes.join('\n'));
}

/** If a customer of that name was deleted and its topics kept, its worker may have disabled it: it is enabled again. */
async function enabled(context: Pick<ControlPlaneContext, 'workerStatuses'>, plans: readonly Plan[]): Promise<Plan[]> {
  const statuses = await context.workerStatuses();
  return plans.map(({ subscription, before, change, uncertain }) => {
    const disabledEpoch = statuses.get(subscription.customer)?.disabledEpoch;
    if (change !== 'created' || disabledEpoch === undefined) return { subscription, before, change, uncertain };
    return { subscription: { ...subscription, enableEpoch: disabledEpoch + 1 }, before, change, uncertain };
  });
}

/** The form in which it is read back from Kafka. */
function asStored(subscription: Subscription): Subscription {
  const read = decodeSubscription(subscription.customer, encodeSubscription(subscription));
  if (read.ok) return read.subscription;
  throw new TypeError(`what was written can't be read: ${formatIssues(read.issues)}`);
}
