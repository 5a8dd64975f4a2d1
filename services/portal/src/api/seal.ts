/** Secrets that are typed here are sealed for the delivery workers in the browser: no control plane gets to see them. */
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import { ApiError, ask } from './client.ts';

/** @throws {Error} in words, if the place can't take such a secret @throws {ApiError} */
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
 * @throws {ApiError} with what is wrong at each field, as if the API had said it; or what the API said
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

/** The current key comes first. */
async function sealer(): Promise<Sealer> {
  const { items } = await ask('GET /v1/sealing-keys');
  const [key] = items;
  if (key === undefined) throw new Error('The service has no key to seal secrets with: ask an operator.');
  return new Sealer(key);
}
