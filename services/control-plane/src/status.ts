import { DatabridgeError } from '@databridge/kernel/errors';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { decodeAttempts } from '@databridge/schemas/attempts';
import { decodeStatus, type EffectiveState, effectiveState, type WorkerStatus } from '@databridge/schemas/status';
import {
  ATTEMPTS_TOPIC,
  deadTopic,
  deliveryGroup,
  deliveryTopic,
  retryDelayOf,
  STATUS_TOPIC,
} from '@databridge/schemas/topics';
import type { ControlPlaneContext } from './context.ts';
import { readStoredSubscriptions } from './stored-subscriptions.ts';

export interface CustomerStatus {
  readonly customer: string;
  readonly state: EffectiveState;
  /** What its worker found, if it said so yet. */
  readonly worker: WorkerStatus | undefined;
  /** Records not yet done by lane, `main` first; up to the lowest that isn't done, so an upper bound. */
  readonly lagByLane: Readonly<Record<string, number>>;
  /** Records in the dead-letter topic: tombstones not yet compacted away count too. */
  readonly deadRecords: number;
  /** Of the last {@link StatusOptions.attemptsSinceMs}. */
  readonly attempts: Readonly<Record<string, number>>;
}

export interface StatusOptions {
  /** Count attempts made since then, ms since the epoch. */
  readonly attemptsSinceMs: number;
}

/** How every customer is doing, by name. */
export async function customerStatuses(
  context: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'log'>,
  { attemptsSinceMs }: StatusOptions,
): Promise<CustomerStatus[]> {
  const { admin, kafka } = context;
  const [subscriptions, workers, attempts, topics] = await Promise.all([
    readStoredSubscriptions(context),
    readWorkerStatuses(context),
    countAttempts(kafka, attemptsSinceMs),
    admin.listTopics(),
  ]);
  const statuses = [...subscriptions.values()].map(async (subscription): Promise<CustomerStatus> => {
    const { customer } = subscription;
    const worker = workers.get(customer);
    return {
      customer,
      state: effectiveState(subscription, worker),
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
  context: Pick<ControlPlaneContext, 'kafka' | 'log'>,
  names: readonly string[],
): Promise<string[]> {
  const known = [...(await readStoredSubscriptions(context)).keys()].sort();
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new DatabridgeError('DB_NOT_FOUND', `There is no customer ${unknown.map((name) => `"${name}"`).join(', ')}`);
  }
  return names.length > 0 ? [...names] : known;
}

async function readWorkerStatuses({ kafka }: Pick<ControlPlaneContext, 'kafka'>): Promise<Map<string, WorkerStatus>> {
  const found = new Map<string, WorkerStatus>();
  await readTopics(kafka, [STATUS_TOPIC], {
    onBatch({ records }) {
      for (const { key, value } of records) {
        const status = value === null ? undefined : decodeStatus(value);
        if (key !== null && status !== undefined) found.set(key.toString('utf8'), status);
      }
    },
  });
  return found;
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
        for (const { outcome } of batch.attempts) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
      }
    },
  });
  return counts;
}

async function lagByLane(
  admin: ControlPlaneContext['admin'],
  customer: string,
  topics: readonly string[],
): Promise<Record<string, number>> {
  const lanes = [deliveryTopic(customer), ...topics.filter((topic) => retryDelayOf(customer, topic) !== undefined)];
  const committed = new Map<string, number>();
  for (const { topic, partition, offset } of await admin.committedOffsets(deliveryGroup(customer))) {
    committed.set(`${topic}/${partition}`, offset);
  }
  const lags = lanes
    .filter((topic) => topics.includes(topic))
    .map(async (topic) => {
      const partitions = await admin.watermarks(topic);
      const lag = partitions.reduce(
        (sum, { partition, low, high }) => sum + high - Math.max(low, committed.get(`${topic}/${partition}`) ?? low),
        0,
      );
      return [retryDelayOf(customer, topic) ?? 'main', lag] as const;
    });
  return Object.fromEntries(await Promise.all(lags));
}

async function countRecords(admin: ControlPlaneContext['admin'], topic: string): Promise<number> {
  return (await admin.watermarks(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
}
