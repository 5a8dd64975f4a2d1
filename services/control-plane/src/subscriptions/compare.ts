import { systemClock } from '@databridge/kernel/time/clock';
import type { Role } from '@databridge/schemas/rights/route-rights';
import { secretsInUse } from '@databridge/schemas/subscription/secret-places';
import type { ControlPlaneContext } from '../context.ts';
import { type AppliedCustomer, refuseClosedUrls } from './apply.ts';
import type { FileSubscription } from './kept-settings.ts';
import { planChange } from './plan-change.ts';

export interface Comparison {
  readonly change: AppliedCustomer['change'];
  /** The places of the secrets that differ from the stored ones, such as `authentication.key`. */
  readonly secrets: readonly string[];
  /** Those of them that may be the same: a secret that a browser or a command line sealed cannot be compared. */
  readonly uncertain: readonly string[];
}

/**
 * The changes that applying would make. The control plane compares secrets by their marks, if they have one.
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
  // Secrets that stay the same keep their seal.
  const [old, now] = [
    stored === undefined ? new Map<string, string>() : secretsInUse(stored),
    secretsInUse(subscription),
  ];
  const places = [...new Set([...old.keys(), ...now.keys()])].sort();
  return { change, secrets: places.filter((place) => old.get(place) !== now.get(place)), uncertain };
}
