import { DatabridgeError } from '@databridge/kernel/errors';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';

/** A customer's subscription, and the status that its worker wrote. */
export interface KnownCustomer {
  /** With its secrets sealed. */
  readonly subscription: Subscription;
  readonly worker: WorkerStatus | undefined;
}

/** @throws {DatabridgeError} DB_NOT_FOUND */
export async function readCustomer(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions'>,
  customer: string,
): Promise<KnownCustomer> {
  const [subscriptions, statuses] = await Promise.all([context.subscriptions(), context.workerStatuses()]);
  const subscription = subscriptions.get(customer);
  if (subscription === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  return { subscription, worker: statuses.get(customer) };
}
