import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { parseKeySet } from '@databridge/kernel/secrets/key-set';
import { Opener } from '@databridge/kernel/secrets/opener';
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { markOf } from '@databridge/kernel/secrets/sealing-desk';
import { readSetting } from '@databridge/kernel/settings/read-setting';
import type { Routes } from '@databridge/schemas/api/types';
import { placeOfSeal } from '@databridge/schemas/subscription/secret-places';
import type { ApiClient } from '../../api/api-client.ts';
import { pathOf } from '../../cli.ts';
import { currentKey } from './seal-secret.ts';

export interface Rotation {
  /** The customers whose secrets were sealed again. */
  readonly resealed: number;
  /** The customers with at least one unchanged secret: its key was removed, or the request failed. */
  readonly failed: readonly { readonly customer: string; readonly detail: string }[];
}

/**
 * Opens every secret that is not under the current key by the private keys of the file, and has the API exchange its
 * seal. What is opened stays in this process, for that moment.
 * @throws {DatabridgeError} DB_KEY_RING_INVALID, DB_INPUT_INVALID if the current key is not in the file
 */
export async function rotateKeys(api: ApiClient, keysFile: string): Promise<Rotation> {
  const opener = new Opener(parseKeySet(readSetting('--keys-file', keysFile)));
  const key = await currentKey(api);
  if (!opener.kids.includes(key.kid)) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      `The control plane seals for the key "${key.kid}", which is not in ${keysFile}: delivery workers could open nothing afterwards`,
    );
  }
  const sealer = new Sealer(key);
  let resealed = 0;
  const failed: { customer: string; detail: string }[] = [];
  let after = '';
  for (;;) {
    const { items } = await api.get<Routes['GET /v1/seals-to-rotate']['answer']>('/seals-to-rotate', { after });
    const last = items.at(-1);
    if (last === undefined) return { resealed, failed };
    for (const { customer, secrets } of items) {
      try {
        const exchanged = await Promise.all(
          secrets.map(async ({ place, sealed }) => {
            const at = { customer, place: placeOfSeal(place) };
            const secret = await opener.open(sealed, at);
            return { place, from: sealed, to: await sealer.seal(secret.reveal(), at, markOf(sealed)) };
          }),
        );
        await api.call('POST', pathOf(customer, 'reseals'), { body: { secrets: exchanged } });
        resealed++;
      } catch (error) {
        failed.push({ customer, detail: messageOf(error) });
      }
    }
    after = last.customer;
  }
}
