import { DatabridgeError } from '@databridge/kernel/errors';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import { STATUS_TOPIC } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';

/** What is wanted of a customer, and what its worker found. */
export interface KnownCustomer {
  /** Its secrets sealed. */
  readonly subscription: Subscription;
  readonly worker: WorkerStatus | undefined;
}

/** @throws {DatabridgeError} DB_NOT_FOUND */
export async function readCustomer(
  context: Pick<ControlPlaneContext, 'kafka' | 'subscriptions'>,
  customer: string,
): Promise<KnownCustomer> {
  const [subscriptions, statuses] = await Promise.all([context.subscriptions(), readWorkerStatuses(context)]);
  const subscription = subscriptions.get(customer);
  if (subscription === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  return { subscription, worker: statuses.get(customer) };
}

export async function readWorkerStatuses({
  kafka,
}: Pick<ControlPlaneContext, 'kafka'>): Promise<Map<string, WorkerStatus>> {
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
