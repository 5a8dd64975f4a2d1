import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { TopicMismatch } from '@databridge/kernel/kafka/admin';
import type { KeyRing } from '@databridge/kernel/key-ring';
import { mapSecretsAsync } from '@databridge/schemas/secret-places';
import { formatIssues, type Subscription } from '@databridge/schemas/subscription';
import { customerTopics } from '@databridge/schemas/topics';
import type { ControlPlaneContext } from './context.ts';
import { readWorkerStatuses } from './customer.ts';
import { egressIssues } from './outgoing-urls.ts';
import { type FileSubscription, KEPT_SETTINGS } from './subscription-file.ts';

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
 * nothing again: what is compared are the subscriptions with their secrets opened, since sealing the same secret
 * twice gives two different texts.
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
    given.map((one) => planChange(keyRing, one, stored.get(one.subscription.customer), context)),
  );
  const plans = planned.some(({ change }) => change === 'created') ? await enabled(context, planned) : planned;

  const topics = plans.flatMap(({ subscription }) => customerTopics(subscription.customer, context.retryDelays));
  const ensured = await admin.ensureTopics(topics);

  const changed = plans.filter(({ change }) => change !== 'unchanged');
  const changes = await Promise.all(
    changed.map(async ({ subscription, change }) => ({
      what: change === 'created' ? ('create' as const) : ('replace' as const),
      customer: subscription.customer,
      before: stored.get(subscription.customer),
      after: await seal(keyRing, subscription),
    })),
  );
  if (changes.length > 0) await context.commit(changes);

  const customers = plans.map(({ subscription, change }) => ({ customer: subscription.customer, change }));
  return { customers, createdTopics: ensured.created, mismatchedTopics: ensured.mismatched };
}

function refuseClosedUrls(given: readonly FileSubscription[], { egress }: ControlPlaneContext): void {
  const mistakes = given.flatMap(({ subscription }) => {
    const issues = egressIssues(subscription, egress);
    return issues.length === 0 ? [] : [`customer "${subscription.customer}": ${formatIssues(issues)}`];
  });
  if (mistakes.length > 0) throw new DatabridgeError('DB_INPUT_INVALID', mistakes.join('\n'));
}

interface Plan {
  readonly subscription: Subscription;
  readonly change: AppliedCustomer['change'];
}

async function planChange(
  keyRing: KeyRing,
  given: FileSubscription,
  stored: Subscription | undefined,
  { log }: Pick<ControlPlaneContext, 'log'>,
): Promise<Plan> {
  if (stored === undefined) return { subscription: given.subscription, change: 'created' };
  const subscription = withKeptSettings(given, stored);
  try {
    const isSame = canonical(await unseal(keyRing, stored)) === canonical(subscription);
    return { subscription, change: isSame ? 'unchanged' : 'updated' };
  } catch (error) {
    // The key it was sealed with is gone, so nobody can read it: the file's secrets, sealed anew, mend that.
    log.warn({ customer: stored.customer }, messageOf(error));
    return { subscription, change: 'updated' };
  }
}

/** Where a customer of that name was deleted and its topics kept, its worker may have disabled it: it begins anew. */
async function enabled(context: Pick<ControlPlaneContext, 'kafka'>, plans: readonly Plan[]): Promise<Plan[]> {
  const statuses = await readWorkerStatuses(context);
  return plans.map(({ subscription, change }) => {
    const disabledEpoch = statuses.get(subscription.customer)?.disabledEpoch;
    if (change !== 'created' || disabledEpoch === undefined) return { subscription, change };
    return { subscription: { ...subscription, enableEpoch: disabledEpoch + 1 }, change };
  });
}

/** A customer that an operator paused or enabled meanwhile stays so, unless the file says otherwise. */
export function withKeptSettings({ subscription, sets }: FileSubscription, stored: Subscription): Subscription {
  const kept = KEPT_SETTINGS.filter((name) => !sets.includes(name)).map((name) => [name, stored[name]] as const);
  return { ...subscription, ...Object.fromEntries(kept) };
}

async function seal(keyRing: KeyRing, subscription: Subscription): Promise<Subscription> {
  return await mapSecretsAsync(subscription, (secret) => keyRing.seal(secret, subscription.customer));
}

async function unseal(keyRing: KeyRing, sealed: Subscription): Promise<Subscription> {
  return await mapSecretsAsync(sealed, async (text) => (await keyRing.unseal(text, sealed.customer)).reveal());
}

/** The same text for the same content, whatever the order of keys. Holds secrets: compared, never shown. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
