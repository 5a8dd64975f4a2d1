/** The changes that saving a subscription would make: rights, kept secrets, and the control plane's own additions. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { ceilingsOf } from '@databridge/schemas/rights/ceilings';
import { forbiddenChanges } from '@databridge/schemas/rights/changes';
import { grantedBy } from '@databridge/schemas/rights/narrowing';
import type { Role } from '@databridge/schemas/rights/route-rights';
import { secretsToGiveAgain } from '@databridge/schemas/rights/secret-recipients';
import { mapSecretsAsync, SECRET_MASK, secretsInUse } from '@databridge/schemas/subscription/secret-places';
import type { Granted, Subscription } from '@databridge/schemas/subscription/subscription';
import { RefusedFields } from './checks/refused-fields.ts';
import { type FileSubscription, KEPT_SETTINGS } from './kept-settings.ts';

export interface Plan {
  /** With sealed secrets: those that stay the same keep their seal. */
  readonly subscription: Subscription;
  readonly before: Subscription | undefined;
  readonly change: 'created' | 'updated' | 'unchanged';
  /** The places of secrets that are set although they may equal the stored ones: they cannot be compared. */
  readonly uncertain: readonly string[];
}

export interface Planning {
  readonly desk: SealingDesk;
  /** All stored subscriptions, by customer. */
  readonly stored: ReadonlyMap<string, Subscription>;
  readonly role: Role;
  readonly nowMs: number;
  /** Seals of secrets that are masked in the given subscription, by place: made where the secrets were entered. */
  readonly sealed?: ReadonlyMap<string, string> | undefined;
  /** True if a customer stated it: an operator has to approve it, and it stays paused until then. */
  readonly awaitsApproval?: boolean | undefined;
}

/** @throws {RefusedFields} DB_FORBIDDEN for fields that are not the caller's; DB_INPUT_INVALID for secrets that are missing */
export async function planChange(given: FileSubscription, planning: Planning): Promise<Plan> {
  const { desk, stored, role, nowMs, sealed: seals } = planning;
  const { customer } = given.subscription;
  const before = stored.get(customer);
  const kept = before === undefined ? given.subscription : withKeptSettings(given, before);
  const forbidden = forbiddenChanges(role, before, kept);
  if (forbidden.length > 0) throw new RefusedFields('DB_FORBIDDEN', forbidden);
  const awaitsApproval = (planning.awaitsApproval ?? before?.awaitsApproval) === true;
  if (awaitsApproval && kept.state === 'active') {
    const message = `can't be active before an operator has approved what "${customer}" stated ("databridge approve ${customer}"): leave it out`;
    throw new RefusedFields('DB_INPUT_INVALID', [{ path: ['state'], message }]);
  }
  if (seals !== undefined) refuseUnusableSeals(kept, seals, desk);
  refuseUnlessSecretsAreThere(before, kept, seals);
  const wanted = withLimits(withExternalId(kept, before, planning), before, role);
  const known = before === undefined ? new Map<string, string>() : secretsInUse(before);
  const setAt: Record<string, number> = {};
  const uncertain: string[] = [];
  const sealed = await mapSecretsAsync(wanted, async (secret, place) => {
    const given = seals?.get(place);
    if (given !== undefined) {
      setAt[place] = nowMs;
      return given;
    }
    const there = known.get(place);
    const isSame =
      there === undefined ? false : secret === SECRET_MASK || desk.matches(there, secret, { customer, place });
    if (isSame === undefined) uncertain.push(place);
    const isKept = isSame === true && there !== undefined;
    const since = isKept ? before?.secretsSetAt?.[place] : nowMs;
    if (since !== undefined) setAt[place] = since;
    return isKept ? there : await desk.seal(secret, { customer, place });
  });
  const subscription: Subscription = {
    ...sealed,
    ...(Object.keys(setAt).length > 0 && { secretsSetAt: setAt }),
    ...keptFallbacks(before, sealed),
    ...(awaitsApproval && { awaitsApproval: true as const }),
  };
  if (before === undefined) return { subscription, before, change: 'created', uncertain };
  const change = canonical(before) === canonical(subscription) ? 'unchanged' : 'updated';
  return { subscription, before, change, uncertain };
}

/** Each seal is for the place of a mask, and was made for that place: a seal that is not used was meant for something else. */
function refuseUnusableSeals(wanted: Subscription, seals: ReadonlyMap<string, string>, desk: SealingDesk): void {
  const { customer } = wanted;
  const places = secretsInUse(wanted);
  const issues = [...seals].flatMap(([place, seal]) => {
    const message =
      places.get(place) === SECRET_MASK
        ? desk.sealMistake(seal, { customer, place })
        : `is sealed, so the subscription must have "${SECRET_MASK}" there`;
    return message === undefined ? [] : [{ path: place.split('.'), message }];
  });
  if (issues.length > 0) throw new RefusedFields('DB_INPUT_INVALID', issues);
}

/**
 * A mask means the stored secret: only if there is one, and only while its recipient stays the same. A caller that
 * changes a destination without knowing its secrets must not have them sent elsewhere.
 */
function refuseUnlessSecretsAreThere(
  before: Subscription | undefined,
  wanted: Subscription,
  seals: ReadonlyMap<string, string> | undefined,
): void {
  const isMask = (secret: string, place: string) => secret === SECRET_MASK && seals?.has(place) !== true;
  const stored = before === undefined ? new Map<string, string>() : secretsInUse(before);
  const missing = [...secretsInUse(wanted)]
    .filter(([place, secret]) => isMask(secret, place) && !stored.has(place))
    .map(([place]) => ({
      path: place.split('.'),
      message: 'is the mask that answers show, and no secret is stored there: send the secret itself',
    }));
  const { places, because } =
    before === undefined ? { places: [], because: [] } : secretsToGiveAgain(before, wanted, isMask);
  const again = places
    .filter((place) => stored.has(place))
    .map((place) => ({
      path: place.split('.'),
      message: `must be sent again: the stored one would be used with another ${because.join(' and ')}`,
    }));
  if (missing.length + again.length > 0) throw new RefusedFields('DB_INPUT_INVALID', [...missing, ...again]);
}

/** An old secret is only for the destination that knew it: after a change of the destination, there is no fallback. */
function keptFallbacks(before: Subscription | undefined, after: Subscription): Pick<Subscription, 'fallbacks'> {
  const place = ({ destination, authentication, tls, signing }: Subscription) =>
    canonical({ destination, authentication, tls, signing });
  if (before?.fallbacks === undefined || place(before) !== place(after)) return {};
  return { fallbacks: before.fallbacks };
}

/**
 * A customer that an operator paused or enabled in the meantime stays so, unless the file says otherwise. Making it
 * active in this way is a resuming: attempts are counted from 1.
 */
function withKeptSettings({ subscription, sets }: FileSubscription, stored: Subscription): Subscription {
  const kept = KEPT_SETTINGS.filter((name) => !sets.includes(name)).map((name) => [name, stored[name]] as const);
  const merged: Subscription = { ...subscription, ...Object.fromEntries(kept) };
  const isResumed = !sets.includes('enableEpoch') && stored.state !== 'active' && merged.state === 'active';
  return isResumed ? { ...merged, enableEpoch: stored.enableEpoch + 1 } : merged;
}

/**
 * The external id of a role is ours to choose: one that a customer chose could be another's, whose role then would do its
 * work (the "confused deputy"). A new role gets a new one; the role that was there keeps its own.
 */
function withExternalId(
  wanted: Subscription,
  before: Subscription | undefined,
  { stored, role }: Planning,
): Subscription {
  const { authentication, customer } = wanted;
  if (authentication.type !== 'aws' || !('roleArn' in authentication)) return wanted;
  const given = role === 'operator' ? authentication.externalId : undefined;
  if (given !== undefined) {
    const others = [...stored.values()].filter((one) => one.customer !== customer && externalIdOf(one) === given);
    const [other] = others;
    if (other !== undefined) {
      const message = `is that of customer "${other.customer}": leave it out, and a new one is generated`;
      throw new RefusedFields('DB_INPUT_INVALID', [{ path: ['authentication', 'externalId'], message }]);
    }
  }
  const isSameRole = before !== undefined && roleArnOf(before) === authentication.roleArn;
  const externalId = given ?? (isSameRole ? externalIdOf(before) : undefined) ?? `databridge-${randomUUID()}`;
  return { ...wanted, authentication: { ...authentication, externalId } };
}

function roleOf({ authentication }: Subscription) {
  return authentication.type === 'aws' && 'roleArn' in authentication ? authentication : undefined;
}
const roleArnOf = (subscription: Subscription) => roleOf(subscription)?.roleArn;
const externalIdOf = (subscription: Subscription) => roleOf(subscription)?.externalId;

/** The settings of operators stay in the record, also while a customer uses less than it may. */
function withLimits(wanted: Subscription, before: Subscription | undefined, role: Role): Subscription {
  const { ceilings: given, granted: _, ...rest } = wanted;
  const usual = ceilingsOf(rest);
  const ceilings =
    role === 'operator' || before === undefined
      ? ceilingsOf({ ...rest, ...(given && { ceilings: given }) })
      : ceilingsOf(before);
  const granted = grantAfter(wanted, before, role);
  return {
    ...rest,
    ...(!isDeepStrictEqual(ceilings, usual) && { ceilings }),
    ...(granted !== undefined && { granted }),
  };
}

/** @returns undefined if the current settings are those of operators */
function grantAfter(wanted: Subscription, before: Subscription | undefined, role: Role): Granted | undefined {
  if (before === undefined) return undefined;
  const was = grantedBy(before);
  // Values that an operator sends back as they were read are no new grant.
  const isNew = (name: 'filter' | 'sections') => role === 'operator' && !isDeepStrictEqual(wanted[name], before[name]);
  const filter = isNew('filter') ? wanted.filter : was.filter;
  const sections = isNew('sections') ? wanted.sections : was.sections;
  const granted = { ...(filter !== undefined && { filter }), ...(sections !== undefined && { sections }) };
  const { granted: _, ...inUse } = wanted;
  return isDeepStrictEqual(granted, grantedBy(inUse)) ? undefined : granted;
}

/** @returns the same text for the same content, regardless of the order of keys */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
