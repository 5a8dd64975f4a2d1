import { systemClock } from '@databridge/kernel/time/clock';
import type { Role } from '@databridge/schemas/rights/route-rights';
import { secretsInUse } from '@databridge/schemas/subscription/secret-places';
import type { ControlPlaneContext } from '../context.ts';
import { type AppliedCustomer, refuseClosedUrls } from './apply.ts';
import type { FileSubscription } from './kept-settings.ts';
import { planChange } from './plan-change.ts';

export interface Comparison {
  readonly change: AppliedCustomer['change'];
  /** Places of the secrets that are others than those that stand, such as `authentication.key`. */
  readonly secrets: readonly string[];
  /** Of these, the ones that may be the same: what a browser or a command line sealed can't be compared. */
  readonly uncertain: readonly string[];
}

/**
 * What applying would do. Whether a secret is another one, the control plane tells by its mark, if it has one.
 * @throws {DatabridgeError} DB_INPUT_INVALID as applying would
 */
export async function compareSubscription(
  context: ControlPlaneContext,
  given: FileSubscription,
  role: Role,
): Promise<Comparison> {
  const all = await context.subscriptions();
  refuseClosedUrls([given], all, context);
  const planning = { desk: context.desk, stored: all, role, nowMs: systemClock.nowMs() };
  const { subscription, before: stored, change, uncertain } = await planChange(given, planning);
  // Those that stay as they are keep their very seal.
  const [old, now] = [
    stored === undefined ? new Map<string, string>() : secretsInUse(stored),
    secretsInUse(subscription),
  ];
  const places = [...new Set([...old.keys(), ...now.keys()])].sort();
  return { change, secrets: places.filter((place) => old.get(place) !== now.get(place)), uncertain };
}
