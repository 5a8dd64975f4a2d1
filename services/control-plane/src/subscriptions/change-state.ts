import { DatabridgeError } from '@databridge/kernel/errors';
import { type EffectiveState, effectiveState, type WorkerStatus } from '@databridge/schemas/records/status';
import type { Role } from '@databridge/schemas/rights/route-rights';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { keepWhileStopped } from '../upkeep/retention.ts';
import { readCustomer } from '../views/customer.ts';
import { RefusedFields } from './checks/refused-fields.ts';

/**
 * The changes that an operator may make to a customer's state:
 *
 *              pause              disable
 *     active ─────────▶ paused ─────────────▶ disabled ◀── its worker, by the status record
 *        ▲ ◀───────────   │ resume               │
 *        │                                       │
 *        └──────────────── enable ───────────────┘      (active ─disable─▶ disabled, too)
 *
 * Resuming and enabling raise `enableEpoch`: the attempts counted before count no more. A customer that awaits approval
 * is neither resumed nor enabled: approve.ts does it.
 */
export type StateAction = 'pause' | 'resume' | 'enable' | 'disable';

export interface StateChange {
  readonly customer: string;
  readonly before: EffectiveState;
  /** The same as before if nothing had to be changed. */
  readonly after: EffectiveState;
}

type Wanted = Pick<Subscription, 'state' | 'enableEpoch'>;
type Stored = Wanted & Pick<Subscription, 'awaitsApproval'>;

/** @returns the state to store; undefined if it is stored already; a text that says why the change is impossible */
export function stateAfter(
  { state, enableEpoch, awaitsApproval }: Stored,
  worker: Pick<WorkerStatus, 'disabledEpoch'> | undefined,
  action: StateAction,
): Wanted | undefined | string {
  const now = effectiveState({ state, enableEpoch }, worker);
  if (awaitsApproval === true && (action === 'resume' || action === 'enable')) {
    return 'awaits approval: an operator starts it by approving what it stated ("databridge approve")';
  }
  switch (action) {
    case 'pause':
      if (now === 'disabled') return 'is disabled: nothing is sent as it is';
      return now === 'paused' ? undefined : { state: 'paused', enableEpoch };
    case 'resume':
      if (now === 'disabled') return 'is disabled, not paused: enable it';
      return now === 'active' ? undefined : { state: 'active', enableEpoch: enableEpoch + 1 };
    case 'enable':
      if (now === 'paused') return 'is paused, not disabled: resume it';
      return now === 'active' ? undefined : { state: 'active', enableEpoch: enableEpoch + 1 };
    case 'disable':
      return now === 'disabled' ? undefined : { state: 'disabled', enableEpoch };
  }
}

/**
 * @param role a customer enables itself after its worker disabled it, and never after an operator did
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_FORBIDDEN; DB_CONFLICT if the customer's state does not allow it
 */
export async function changeState(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'admin' | 'commit'>,
  customer: string,
  action: StateAction,
  role: Role = 'operator',
): Promise<StateChange> {
  const { subscription, worker } = await readCustomer(context, customer);
  if (role !== 'operator' && subscription.state === 'disabled') {
    const message = 'belongs to operators: an operator disabled this customer; ask an operator to enable it';
    throw new RefusedFields('DB_FORBIDDEN', [{ path: ['state'], message }]);
  }
  const before = effectiveState(subscription, worker);
  const wanted = stateAfter(subscription, worker, action);
  if (typeof wanted === 'string') throw new DatabridgeError('DB_CONFLICT', `Customer "${customer}" ${wanted}`);
  if (wanted === undefined) return { customer, before, after: before };
  // This comes first, so that not even a crash leaves a stopped customer with topics of short retention.
  if (wanted.state !== 'active') await keepWhileStopped(context.admin, subscription);
  await context.commit([{ what: action, customer, before: subscription, after: { ...subscription, ...wanted } }]);
  return { customer, before, after: wanted.state };
}

/** @returns whether it was active until now */
export async function pauseIfActive(context: Parameters<typeof changeState>[0], customer: string): Promise<boolean> {
  const { subscription, worker } = await readCustomer(context, customer);
  if (effectiveState(subscription, worker) !== 'active') return false;
  try {
    const { before, after } = await changeState(context, customer, 'pause');
    return before !== after;
  } catch (error) {
    // Its worker has disabled it in the meantime: it is stopped already.
    if (error instanceof DatabridgeError && error.code === 'DB_CONFLICT') return false;
    throw error;
  }
}
