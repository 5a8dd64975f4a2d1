import { DatabridgeError } from '@databridge/kernel/errors';
import type { TopicMismatch } from '@databridge/kernel/kafka/admin';
import type { KeyRing } from '@databridge/kernel/secrets/key-ring';
import { customerTopics } from '@databridge/schemas/records/topics';
import { mapSecretsAsync, secretsInUse } from '@databridge/schemas/subscription/secret-places';
import { formatIssues, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { keepWithoutLimit } from '../upkeep/retention.ts';
import { type FileSubscription, KEPT_SETTINGS } from './kept-settings.ts';
import { egressIssues } from './outgoing-urls.ts';
import { tlsIssues } from './tls-issues.ts';

export interface AppliedCustomer {
  readonly customer: string;
  readonly change: 'created' | 'updated' | 'unchanged';
}

export interface Applied {
  /** In the order given. */
  readonly customers: readonly AppliedCustomer[];
  readonly createdTopics: readonly string[];
  readonly mismatchedTopics: readonly TopicMismatch[];
}

/**
 * Makes the given subscriptions stand; customers that are not among them stay as they are. Doing it again does
 * nothing again: a secret that is the one sealed already keeps its seal, which is told without opening it.
 *
 * A customer's topics are there before its subscription is: fan-out would write to them at once.
 * @throws {DatabridgeError} DB_INPUT_INVALID if one names a URL that nothing may be sent to: then nothing is done.
 *   DB_KAFKA_…; what was published before stays published, and applying again completes it
 */
export async function applySubscriptions(
  context: ControlPlaneContext,
  given: readonly FileSubscription[],
): Promise<Applied> {
  const { admin, keyRing } = context;
  refuseClosedUrls(given, context);
  const stored = await context.subscriptions();
  const planned = await Promise.all(
    given.map((one) => planChange(keyRing, one, stored.get(one.subscription.customer), Date.now())),
  );
  const plans = planned.some(({ change }) => change === 'created') ? await enabled(context, planned) : planned;

  const topics = plans.flatMap(({ subscription }) => customerTopics(subscription.customer, context.retryDelays));
  const ensured = await admin.ensureTopics(topics);

  const changed = plans.filter(({ change }) => change !== 'unchanged');
  for (const { subscription } of changed) {
    // First, so that not even a crash leaves a stopped customer with topics that forget.
    if (subscription.state !== 'active') await keepWithoutLimit(admin, subscription.customer);
  }
  const changes = changed.map(({ subscription, change, before }) => ({
    what: change === 'created' ? ('create' as const) : ('replace' as const),
    customer: subscription.customer,
    before,
    after: subscription,
  }));
  if (changes.length > 0) await context.commit(changes);

  const customers = plans.map(({ subscription, change }) => ({ customer: subscription.customer, change }));
  return { customers, createdTopics: ensured.created, mismatchedTopics: ensured.mismatched };
}

export function refuseClosedUrls(given: readonly FileSubscription[], { egress }: ControlPlaneContext): void {
  const mistakes = given.flatMap(({ subscription }) => {
    const issues = [...egressIssues(subscription, egress), ...tlsIssues(subscription, Date.now())];
    return issues.length === 0 ? [] : [`customer "${subscription.customer}": ${formatIssues(issues)}`];
  });
  if (mistakes.length > 0) throw new DatabridgeError('DB_INPUT_INVALID', mistakes.join('\n'));
}

export interface Plan {
  /** Secrets sealed: those that stay as they are keep their very seal. */
  readonly subscription: Subscription;
  readonly before: Subscription | undefined;
  readonly change: AppliedCustomer['change'];
}

export async function planChange(
  keyRing: KeyRing,
  given: FileSubscription,
  before: Subscription | undefined,
  nowMs: number,
): Promise<Plan> {
  const wanted = before === undefined ? given.subscription : withKeptSettings(given, before);
  const { customer } = wanted;
  const known = before === undefined ? new Map<string, string>() : secretsInUse(before);
  const setAt: Record<string, number> = {};
  const sealed = await mapSecretsAsync(wanted, async (secret, place) => {
    const kept = known.get(place);
    const isKept = kept !== undefined && keyRing.holds(kept, secret, customer);
    const since = isKept ? before?.secretsSetAt?.[place] : nowMs;
    if (since !== undefined) setAt[place] = since;
    return isKept ? kept : await keyRing.seal(secret, customer);
  });
  const subscription = {
    ...sealed,
    ...(Object.keys(setAt).length > 0 && { secretsSetAt: setAt }),
    ...keptFallbacks(before, sealed),
  };
  if (before === undefined) return { subscription, before, change: 'created' };
  return { subscription, before, change: canonical(before) === canonical(subscription) ? 'unchanged' : 'updated' };
}

/** An old secret is for where it was known, and for nobody else: one change there, and no fallback is left. */
function keptFallbacks(before: Subscription | undefined, after: Subscription): Pick<Subscription, 'fallbacks'> {
  const place = ({ destination, authentication, tls, signing }: Subscription) =>
    canonical({ destination, authentication, tls, signing });
  if (before?.fallbacks === undefined || place(before) !== place(after)) return {};
  return { fallbacks: before.fallbacks };
}

/** Where a customer of that name was deleted and its topics kept, its worker may have disabled it: it begins anew. */
async function enabled(context: Pick<ControlPlaneContext, 'workerStatuses'>, plans: readonly Plan[]): Promise<Plan[]> {
  const statuses = await context.workerStatuses();
  return plans.map(({ subscription, before, change }) => {
    const disabledEpoch = statuses.get(subscription.customer)?.disabledEpoch;
    if (change !== 'created' || disabledEpoch === undefined) return { subscription, before, change };
    return { subscription: { ...subscription, enableEpoch: disabledEpoch + 1 }, before, change };
  });
}

/**
 * A customer that an operator paused or enabled meanwhile stays so, unless the file says otherwise. To be made active
 * so is to be resumed: attempts are counted anew.
 */
export function withKeptSettings({ subscription, sets }: FileSubscription, stored: Subscription): Subscription {
  const kept = KEPT_SETTINGS.filter((name) => !sets.includes(name)).map((name) => [name, stored[name]] as const);
  const merged: Subscription = { ...subscription, ...Object.fromEntries(kept) };
  const isResumed = !sets.includes('enableEpoch') && stored.state !== 'active' && merged.state === 'active';
  return isResumed ? { ...merged, enableEpoch: stored.enableEpoch + 1 } : merged;
}

/** The same text for the same content, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
