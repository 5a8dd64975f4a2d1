import { DatabridgeError } from '@databridge/kernel/errors';
import { secretsInUse, withSecretAt } from '@databridge/schemas/subscription/secret-places';
import { type Subscription, secretMistake } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';

export interface KnownSecret {
  /** Its place, such as `authentication.key`. */
  readonly name: string;
  /** ms since the epoch; unknown for what was set before it was kept. */
  readonly setAtMs?: number;
  /** The one before it is used until then where this one is not known. */
  readonly fallbackUntilMs?: number;
}

export function secretsOf(subscription: Subscription, nowMs: number): KnownSecret[] {
  return [...secretsInUse(subscription).keys()].sort().map((name) => {
    const setAtMs = subscription.secretsSetAt?.[name];
    const untilMs = subscription.fallbacks?.[name]?.untilMs;
    return {
      name,
      ...(setAtMs !== undefined && { setAtMs }),
      ...(untilMs !== undefined && untilMs > nowMs && { fallbackUntilMs: untilMs }),
    };
  });
}

/**
 * Puts a new secret in the place of another one, which stays as a fallback for a while: sealed, and at the one place
 * only. Whatever was a fallback there before is gone.
 * @param overlapMs 0: none
 * @throws {DatabridgeError} DB_NOT_FOUND if there is no such customer, or no secret at that place; DB_INPUT_INVALID
 */
export async function setSecret(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'keyRing' | 'commit'>,
  customer: string,
  name: string,
  value: string,
  overlapMs: number,
  nowMs: number,
): Promise<KnownSecret> {
  const { subscription: before } = await readCustomer(context, customer);
  const old = secretsInUse(before).get(name);
  if (old === undefined) {
    const names = [...secretsInUse(before).keys()].sort().join(', ');
    throw new DatabridgeError(
      'DB_NOT_FOUND',
      `Customer "${customer}" has no secret "${name}"; it has ${names || 'none'}`,
    );
  }
  const mistake = secretMistake(name, value);
  if (mistake !== undefined) throw new DatabridgeError('DB_INPUT_INVALID', `${name} ${mistake}`);
  const isSame = context.keyRing.holds(old, value, customer);
  const sealed = isSame ? old : await context.keyRing.seal(value, customer);
  const fallbacks = Object.fromEntries(
    Object.entries(before.fallbacks ?? {}).filter(([place, { untilMs }]) => place !== name && untilMs > nowMs),
  );
  if (!isSame && overlapMs > 0) fallbacks[name] = { secret: old, untilMs: nowMs + overlapMs };
  const { fallbacks: _, ...rest } = withSecretAt(before, name, sealed);
  const after = {
    ...rest,
    secretsSetAt: { ...before.secretsSetAt, [name]: isSame ? (before.secretsSetAt?.[name] ?? nowMs) : nowMs },
    ...(Object.keys(fallbacks).length > 0 && { fallbacks }),
  };
  await context.commit([{ what: 'set-secret', customer, before, after, detail: { name, overlapMs } }]);
  return secretsOf(after, nowMs).find((one) => one.name === name) ?? { name };
}
