import { DatabridgeError } from '@databridge/kernel/errors';
import type { ControlPlaneContext } from '../context.ts';

/**
 * Allows events for a destination that a customer stated itself.
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_CONFLICT if it does not await approval
 */
export async function approve(
  context: Pick<ControlPlaneContext, 'subscriptions' | 'commit'>,
  customer: string,
): Promise<void> {
  const before = (await context.subscriptions()).get(customer);
  if (before === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  if (before.awaitsApproval !== true) {
    throw new DatabridgeError('DB_CONFLICT', `Customer "${customer}" does not await approval: it is approved already`);
  }
  const { awaitsApproval: _, ...after } = before;
  await context.commit([{ what: 'approve', customer, before, after }]);
}
