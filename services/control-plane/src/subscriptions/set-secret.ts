import { DatabridgeError } from '@databridge/kernel/errors';
import type { SealedPlace } from '@databridge/kernel/secrets/sealer';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { secretsInUse, withSecretAt } from '@databridge/schemas/subscription/secret-places';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';

export interface KnownSecret {
  /** Its place, such as `authentication.key`. */
  readonly name: string;
  /** The time in ms since the epoch; unknown for secrets from before this was recorded. */
  readonly setAtMs?: number;
  /** The time until which the previous secret is used if the destination does not accept the new one. */
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

/** A new secret: as text, or sealed where it was entered. */
export type GivenSecret = { readonly value: string } | { readonly sealed: string };

/**
 * Replaces a secret; the old one remains a fallback for a while, sealed, and at that place only. An earlier fallback
 * there is dropped.
 * @param overlapMs 0: none
 * @throws {DatabridgeError} DB_NOT_FOUND if there is no such customer, or no secret at that place; DB_INPUT_INVALID
 */
export async function setSecret(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'desk' | 'commit'>,
  customer: string,
  name: string,
  given: GivenSecret,
  overlapMs: number,
  nowMs: number,
): Promise<KnownSecret> {
  const { subscription: before } = await readCustomer(context, customer);
  const old = refuseUnknown(before, name);
  const at = { customer, place: name };
  const mistake = mistakeOf(given, at, context.desk);
  if (mistake !== undefined) throw new DatabridgeError('DB_INPUT_INVALID', `${name} ${mistake}`);
  const isSame = 'sealed' in given ? given.sealed === old : context.desk.matches(old, given.value, at) === true;
  const sealed = isSame ? old : 'sealed' in given ? given.sealed : await context.desk.seal(given.value, at);
  const after = withSecretSet(before, name, sealed, { overlapMs: isSame ? 0 : overlapMs, nowMs });
  await context.commit([{ what: 'set-secret', customer, before, after, detail: { name, overlapMs } }]);
  return known(after, name, nowMs);
}

/**
 * Stops using the previous secret from now on. Nothing changes if there is none.
 * @throws {DatabridgeError} DB_NOT_FOUND if there is no such customer, or no secret at that place
 */
export async function endFallback(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'commit'>,
  customer: string,
  name: string,
  nowMs: number,
): Promise<KnownSecret> {
  const { subscription: before } = await readCustomer(context, customer);
  refuseUnknown(before, name);
  const { fallbacks: { [name]: ended, ...others } = {}, ...rest } = before;
  if (ended === undefined) return known(before, name, nowMs);
  const after = { ...rest, ...(Object.keys(others).length > 0 && { fallbacks: others }) };
  await context.commit([{ what: 'end-fallback', customer, before, after, detail: { name } }]);
  return known(after, name, nowMs);
}

/** @throws {DatabridgeError} DB_NOT_FOUND @returns its seal */
function refuseUnknown(subscription: Subscription, name: string): string {
  const inUse = secretsInUse(subscription);
  const found = inUse.get(name);
  if (found !== undefined) return found;
  const names = [...inUse.keys()].sort().join(', ');
  throw new DatabridgeError(
    'DB_NOT_FOUND',
    `Customer "${subscription.customer}" has no secret "${name}"; its secrets: ${names || 'none'}`,
  );
}

const known = (subscription: Subscription, name: string, nowMs: number): KnownSecret =>
  secretsOf(subscription, nowMs).find((one) => one.name === name) ?? { name };

function mistakeOf(given: GivenSecret, at: SealedPlace, desk: SealingDesk): string | undefined {
  if (at.place === 'tls.clientKey') return 'goes with its certificate: replace the subscription';
  return 'sealed' in given ? desk.sealMistake(given.sealed, at) : secretMistake(at.place, given.value);
}

/**
 * The subscription with another seal at one place, and the previous one as a fallback.
 * @param overlapMs how long the fallback is used; 0 for no fallback
 */
export function withSecretSet(
  before: Subscription,
  place: string,
  sealed: string,
  { overlapMs, nowMs }: { readonly overlapMs: number; readonly nowMs: number },
): Subscription {
  const old = secretsInUse(before).get(place);
  const isSame = sealed === old;
  const fallbacks = Object.fromEntries(
    Object.entries(before.fallbacks ?? {}).filter(([one, { untilMs }]) => one !== place && untilMs > nowMs),
  );
  if (!isSame && overlapMs > 0 && old !== undefined) fallbacks[place] = { secret: old, untilMs: nowMs + overlapMs };
  const { fallbacks: _, ...rest } = withSecretAt(before, place, sealed);
  const setAtMs = isSame ? (before.secretsSetAt?.[place] ?? nowMs) : nowMs;
  return {
    ...rest,
    secretsSetAt: { ...before.secretsSetAt, [place]: setAtMs },
    ...(Object.keys(fallbacks).length > 0 && { fallbacks }),
  };
}
