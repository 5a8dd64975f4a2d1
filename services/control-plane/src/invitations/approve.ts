import { DatabridgeError } from '@databridge/kernel/errors';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';

/**
 * Allows events for a destination that a customer stated itself: it was paused, and is resumed. One that an operator
 * disabled in the meantime stays disabled.
 * @returns the state from now on
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_CONFLICT if it does not await approval
 */
export async function approve(
  context: Pick<ControlPlaneContext, 'subscriptions' | 'commit'>,
  customer: string,
): Promise<Subscription['state']> {
  const before = (await context.subscriptions()).get(customer);
  if (before === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  if (before.awaitsApproval !== true) {
    throw new DatabridgeError('DB_CONFLICT', `Customer "${customer}" does not await approval: it is approved already`);
  }
  const { awaitsApproval: _, ...approved } = before;
  const resumed = { state: 'active', enableEpoch: before.enableEpoch + 1 } as const;
  const after: Subscription = before.state === 'disabled' ? approved : { ...approved, ...resumed };
  await context.commit([{ what: 'approve', customer, before, after }]);
  return after.state;
}
