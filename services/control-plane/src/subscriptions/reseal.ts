/** The one place outside of delivery where a secret is opened: JWE can't exchange the key of what it sealed. */
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { mapSecretsAsync } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { Run } from '../operations/run.ts';
import type { Writer } from './writer.ts';

export type Resealed = 'resealed' | 'unchanged' | 'unreadable';

/**
 * Seals a customer's secrets under the current key of the ring. A secret whose key is missing is left as it is.
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
  /** Customers with secrets whose key is missing: those secrets must be set again. */
  readonly unreadable: readonly string[];
  /** Customers whose secrets are as they were, because of an error: rotate again. */
  readonly failed: readonly { readonly customer: string; readonly code: string; readonly detail: string }[];
}

/**
 * Seals the secrets of all customers under the current key, one customer after the other, by name.
 * @param change makes a change in that customer's queue
 */
export async function rotateKeys(
  context: Pick<ControlPlaneContext, 'subscriptions' | 'log'>,
  run: Run,
  change: <T>(customer: string, make: (context: ControlPlaneContext) => Promise<T>) => Promise<T>,
): Promise<Rotation> {
  const before = run.checkpoint as Partial<Rotation> & { readonly after?: string };
  const counts = { resealed: before.resealed ?? 0, unchanged: before.unchanged ?? 0 };
  const unreadable = [...(before.unreadable ?? [])];
  const failed = [...(before.failed ?? [])];
  for (const customer of [...(await context.subscriptions()).keys()].sort()) {
    if (before.after !== undefined && customer <= before.after) continue;
    try {
      const result = await change(customer, (inner) => reseal(inner, customer, Date.now()));
      if (result === 'unreadable') unreadable.push(customer);
      else counts[result]++;
    } catch (error) {
      // What may succeed later is left to whoever carries the operation on; the rest concerns this customer alone.
      if (error instanceof DatabridgeError && error.retryable) throw error;
      context.log.error({ err: error, customer }, 'secrets not resealed');
      failed.push({ customer, ...failureOf(error) });
    }
    const done = counts.resealed + counts.unchanged + unreadable.length + failed.length;
    const checkpoint = { ...counts, unreadable, failed, after: customer };
    await run.progress(done, { step: 'sealing secrets anew', checkpoint });
  }
  return { ...counts, unreadable, failed };
}

/** An unforeseen error's message may hold anything, so it is written to the log alone. */
function failureOf(error: unknown): { code: string; detail: string } {
  if (error instanceof DatabridgeError) return { code: error.code, detail: error.message };
  return { code: 'DB_INTERNAL', detail: 'Internal error; the service log has the details' };
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
    try {
      await writer.change(who, customer, (commit) => reseal({ ...operations, commit }, customer, nowMs));
    } catch (error) {
      if (error instanceof DatabridgeError && error.code === 'DB_NOT_THE_WRITER') throw error;
      operations.log.error({ err: error, customer }, 'old fallback secret not removed');
    }
  }
}

/** Drops fallback secrets that have expired, so that an old secret does not stay in Kafka. */
function withoutOldFallbacks(subscription: Subscription, nowMs: number): Subscription {
  const { fallbacks, ...rest } = subscription;
  const left = Object.entries(fallbacks ?? {}).filter(([, { untilMs }]) => untilMs > nowMs);
  if (left.length === Object.keys(fallbacks ?? {}).length) return subscription;
  return left.length === 0 ? rest : { ...rest, fallbacks: Object.fromEntries(left) };
}
