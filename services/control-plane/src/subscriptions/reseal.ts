/** The one place outside of delivery where a secret is opened: JWE can't exchange the key of what it sealed. */
import { messageOf } from '@databridge/kernel/errors';
import { mapSecretsAsync } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { Run } from '../operations/run.ts';
import type { Writer } from './writer.ts';

export type Resealed = 'resealed' | 'unchanged' | 'unreadable';

/**
 * Seals a customer's secrets under the current key of the ring. What nobody can open, since its key is gone, stays.
 * @param nowMs fallbacks that have run out by then are dropped
 */
export async function reseal(
  context: Pick<ControlPlaneContext, 'subscriptions' | 'keyRing' | 'commit' | 'log'>,
  customer: string,
  nowMs: number,
): Promise<Resealed> {
  const before = (await context.subscriptions()).get(customer);
  if (before === undefined) return 'unchanged';
  try {
    const kept = withoutOldFallbacks(before, nowMs);
    const after = await mapSecretsAsync(kept, (sealed) => context.keyRing.reseal(sealed, customer));
    if (JSON.stringify(after) === JSON.stringify(before)) return 'unchanged';
    await context.commit([{ what: 'reseal', customer, before, after }]);
    return 'resealed';
  } catch (error) {
    if ((error as { code?: string }).code !== 'DB_SECRET_UNSEALABLE') throw error;
    context.log.error({ customer }, messageOf(error));
    return 'unreadable';
  }
}

export interface Rotation {
  readonly resealed: number;
  readonly unchanged: number;
  /** Customers whose key is gone: their secrets have to be set anew. */
  readonly unreadable: readonly string[];
}

/**
 * Seals the secrets of all customers under the current key, one customer after the other, by name.
 * @param change makes a change in that customer's queue
 */
export async function rotateKeys(
  context: Pick<ControlPlaneContext, 'subscriptions'>,
  run: Run,
  change: <T>(customer: string, make: (context: ControlPlaneContext) => Promise<T>) => Promise<T>,
): Promise<Rotation> {
  const before = run.checkpoint as Partial<Rotation> & { readonly after?: string };
  const counts = { resealed: before.resealed ?? 0, unchanged: before.unchanged ?? 0 };
  const unreadable = [...(before.unreadable ?? [])];
  for (const customer of [...(await context.subscriptions()).keys()].sort()) {
    if (before.after !== undefined && customer <= before.after) continue;
    const came = await change(customer, (inner) => reseal(inner, customer, Date.now()));
    if (came === 'unreadable') unreadable.push(customer);
    else counts[came]++;
    const done = counts.resealed + counts.unchanged + unreadable.length;
    await run.progress(done, { step: 'sealing secrets anew', checkpoint: { ...counts, unreadable, after: customer } });
  }
  return { ...counts, unreadable };
}

/** Of all customers, in the name of the control plane itself. */
export async function dropOldFallbacks(
  operations: ControlPlaneContext,
  writer: Pick<Writer, 'change'>,
  nowMs: number,
): Promise<void> {
  const who = { name: 'control-plane', role: 'service' };
  for (const [customer, subscription] of await operations.subscriptions()) {
    if (withoutOldFallbacks(subscription, nowMs) === subscription) continue;
    await writer.change(who, customer, (commit) => reseal({ ...operations, commit }, customer, nowMs));
  }
}

/** Nobody uses them any more: the old secret need not stand in Kafka for ever. */
function withoutOldFallbacks(subscription: Subscription, nowMs: number): Subscription {
  const { fallbacks, ...rest } = subscription;
  const left = Object.entries(fallbacks ?? {}).filter(([, { untilMs }]) => untilMs > nowMs);
  if (left.length === Object.keys(fallbacks ?? {}).length) return subscription;
  return left.length === 0 ? rest : { ...rest, fallbacks: Object.fromEntries(left) };
}
