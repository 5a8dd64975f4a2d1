/** The browser seals typed secrets for the delivery workers: no control plane ever sees them. */
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import { ApiError, ask } from './client.ts';

/** @throws {Error} with a text for the user, if the place can't take such a secret @throws {ApiError} */
export async function sealed(
  secret: string,
  at: { readonly customer: string; readonly place: string },
): Promise<string> {
  const mistake = secretMistake(at.place, secret);
  if (mistake !== undefined) throw new Error(`${at.place} ${mistake}`);
  return await (await sealer()).seal(secret, at);
}

/**
 * @param secrets by place @returns their seals, by place
 * @throws {ApiError} with the mistake at each field, in the format of the API; or the API's own error
 */
export async function sealedAll(
  customer: string,
  secrets: ReadonlyMap<string, string>,
): Promise<Readonly<Record<string, string>>> {
  const errors = [...secrets].flatMap(([place, secret]) => {
    const detail = secretMistake(place, secret);
    return detail === undefined ? [] : [{ pointer: `/${place.replaceAll('.', '/')}`, detail }];
  });
  if (errors.length > 0) {
    const detail = errors.map((one) => `${one.pointer} ${one.detail}`).join('; ');
    throw new ApiError({
      type: 'about:blank',
      title: 'Invalid secret',
      status: 422,
      code: 'DB_INPUT_INVALID',
      detail,
      errors,
    });
  }
  const keys = await sealer();
  const seals = await Promise.all(
    [...secrets].map(async ([place, secret]) => [place, await keys.seal(secret, { customer, place })] as const),
  );
  return Object.fromEntries(seals);
}

/** Returns a sealer with the current key, which the API lists first. */
async function sealer(): Promise<Sealer> {
  const { items } = await ask('GET /v1/sealing-keys');
  const [key] = items;
  if (key === undefined) throw new Error('The service has no key to seal secrets with: ask an operator.');
  return new Sealer(key);
}
