import { DatabridgeError } from '@databridge/kernel/errors';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { type EffectiveState, effectiveState, type WorkerStatus } from '@databridge/schemas/records/status';
import { ATTEMPTS_TOPIC, deadTopic, deliveryGroup } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { readWorkerStatuses } from './customer.ts';
import { lanesAmong } from './customer-lanes.ts';

export interface CustomerStatus {
  readonly customer: string;
  readonly state: EffectiveState;
  /** Only while disabled. */
  readonly disabledBy?: 'operator' | 'worker';
  /** What its worker found, if it said so yet. */
  readonly worker: WorkerStatus | undefined;
  /** Records not yet done by lane, `main` first; up to the lowest that isn't done, so an upper bound. */
  readonly lagByLane: Readonly<Record<string, number>>;
  /** Records in the dead-letter topic: tombstones not yet compacted away count too. */
  readonly deadRecords: number;
  /** By outcome, since {@link StatusOptions.attemptsSinceMs}. */
  readonly attempts: Readonly<Record<string, number>>;
}

export interface StatusOptions {
  /** Count attempts made since then, ms since the epoch. */
  readonly attemptsSinceMs: number;
  /** Only these; left out: all. @throws {DatabridgeError} DB_NOT_FOUND if one is not known */
  readonly customers?: readonly string[];
}

/** How every customer is doing, by name. */
export async function customerStatuses(
  context: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'subscriptions'>,
  { attemptsSinceMs, customers }: StatusOptions,
): Promise<CustomerStatus[]> {
  const { admin, kafka } = context;
  const [subscriptions, workers, attempts, topics] = await Promise.all([
    context.subscriptions(),
    readWorkerStatuses(context),
    countAttempts(kafka, attemptsSinceMs),
    admin.listTopics(),
  ]);
  const asked = customers ?? [...subscriptions.keys()];
  refuseUnknown(asked, subscriptions);
  const chosen = asked.flatMap((name) => subscriptions.get(name) ?? []);
  const statuses = chosen.map(async (subscription): Promise<CustomerStatus> => {
    const { customer } = subscription;
    const worker = workers.get(customer);
    const state = effectiveState(subscription, worker);
    return {
      customer,
      state,
      ...(state === 'disabled' && { disabledBy: subscription.state === 'disabled' ? 'operator' : 'worker' }),
      worker,
      lagByLane: await lagByLane(admin, customer, topics),
      deadRecords: topics.includes(deadTopic(customer)) ? await countRecords(admin, deadTopic(customer)) : 0,
      attempts: attempts.get(customer) ?? {},
    };
  });
  return (await Promise.all(statuses)).sort((a, b) => (a.customer < b.customer ? -1 : 1));
}

/** @throws {DatabridgeError} DB_NOT_FOUND if one of the names is no customer's */
export async function knownCustomers(
  context: Pick<ControlPlaneContext, 'subscriptions'>,
  names: readonly string[],
): Promise<string[]> {
  const known = await context.subscriptions();
  refuseUnknown(names, known);
  return names.length > 0 ? [...names] : [...known.keys()].sort();
}

function refuseUnknown(names: readonly string[], known: ReadonlyMap<string, unknown>): void {
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new DatabridgeError('DB_NOT_FOUND', `There is no customer ${unknown.map((name) => `"${name}"`).join(', ')}`);
}

/** Customer → outcome → how often. */
async function countAttempts(
  kafka: ControlPlaneContext['kafka'],
  fromMs: number,
): Promise<Map<string, Record<string, number>>> {
  const counts = new Map<string, Record<string, number>>();
  await readTopics(kafka, [ATTEMPTS_TOPIC], {
    fromMs,
    onBatch({ records }) {
      for (const { value } of records) {
        const batch = value === null ? undefined : decodeAttempts(value);
        if (batch === undefined) continue;
        const byOutcome = counts.get(batch.customer) ?? {};
        counts.set(batch.customer, byOutcome);
        for (const { outcome, test } of batch.attempts)
          if (outcome !== 'skipped' && test !== true) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
      }
    },
  });
  return counts;
}

/** Records not yet done by lane, `main` first; up to the lowest that isn't done. */
export async function lagByLane(
  admin: ControlPlaneContext['admin'],
  customer: string,
  topics: readonly string[],
): Promise<Record<string, number>> {
  const committed = new Map<string, number>();
  for (const { topic, partition, offset } of await admin.committedOffsets(deliveryGroup(customer))) {
    committed.set(`${topic}/${partition}`, offset);
  }
  const lags = [...lanesAmong(topics, customer)].map(async ([topic, lane]) => {
    const partitions = await admin.watermarks(topic);
    const lag = partitions.reduce(
      (sum, { partition, low, high }) => sum + high - Math.max(low, committed.get(`${topic}/${partition}`) ?? low),
      0,
    );
    return [lane, lag] as const;
  });
  return Object.fromEntries(await Promise.all(lags));
}

async function countRecords(admin: ControlPlaneContext['admin'], topic: string): Promise<number> {
  return (await admin.watermarks(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
}
