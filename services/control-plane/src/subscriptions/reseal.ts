/**
 * The control plane's part in the rotation of sealing keys: it lists the seals under earlier keys, and replaces them by
 * others that were made where the private keys are. It opens none.
 */
import { DatabridgeError } from '@databridge/kernel/errors';
import { kidOf, markOf, type SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { mapSecrets, placeOfSeal } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';

export interface StoredSeal {
  /** The place as `mapSecrets` names it; that of a fallback begins with `fallbacks.`. */
  readonly place: string;
  readonly sealed: string;
}

export interface SealsOfCustomer {
  readonly customer: string;
  readonly secrets: readonly StoredSeal[];
}

export interface ExchangedSeal {
  readonly place: string;
  /** The stored seal. */
  readonly from: string;
  readonly to: string;
}

/** @returns customers with seals that are not under the current key, by name, with these seals */
export function sealsToRotate(
  subscriptions: ReadonlyMap<string, Subscription>,
  currentKid: string | undefined,
): SealsOfCustomer[] {
  return [...subscriptions]
    .map(([customer, subscription]) => ({ customer, secrets: sealsOf(subscription) }))
    .map(({ customer, secrets }) => ({
      customer,
      secrets: secrets.filter(({ sealed }) => kidOf(sealed) !== currentKid),
    }))
    .filter(({ secrets }) => secrets.length > 0)
    .sort((a, b) => (a.customer < b.customer ? -1 : 1));
}

function sealsOf(subscription: Subscription): StoredSeal[] {
  const seals: StoredSeal[] = [];
  mapSecrets(subscription, (sealed, place) => void seals.push({ place, sealed }));
  return seals;
}

/**
 * Replaces seals of one customer. A seal that is not the stored one any more is skipped: the secret was set in the
 * meantime.
 * @returns how many were replaced
 * @throws {DatabridgeError} DB_NOT_FOUND, DB_INPUT_INVALID
 */
export async function exchangeSeals(
  context: Pick<ControlPlaneContext, 'subscriptions' | 'desk' | 'commit'>,
  customer: string,
  exchanged: readonly ExchangedSeal[],
): Promise<number> {
  const before = (await context.subscriptions()).get(customer);
  if (before === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  for (const one of exchanged) {
    const mistake = mistakeOf(one, customer, context.desk);
    if (mistake !== undefined) throw new DatabridgeError('DB_INPUT_INVALID', `The new seal of ${one.place} ${mistake}`);
  }
  let count = 0;
  const after = mapSecrets(before, (sealed, place) => {
    const found = exchanged.find((one) => one.place === place && one.from === sealed);
    if (found !== undefined) count++;
    return found?.to ?? sealed;
  });
  if (count > 0) await context.commit([{ what: 'reseal', customer, before, after }]);
  return count;
}

/** A mark is kept or dropped: the caller that replaces a seal cannot make one. */
function mistakeOf({ place, from, to }: ExchangedSeal, customer: string, desk: SealingDesk): string | undefined {
  const mistake = desk.sealMistake(to, { customer, place: placeOfSeal(place) });
  if (mistake !== undefined) return mistake;
  const mark = markOf(to);
  return mark === undefined || mark === markOf(from) ? undefined : 'has another mark than the stored one';
}
