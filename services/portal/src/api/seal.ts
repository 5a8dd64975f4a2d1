/** Secrets that are set here are sealed for the delivery workers in the browser: no control plane gets to see them. */
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import { ask } from './client.ts';

/** @throws {Error} in words, if the place can't take such a secret @throws {ApiError} */
export async function sealed(
  secret: string,
  at: { readonly customer: string; readonly place: string },
): Promise<string> {
  const mistake = secretMistake(at.place, secret);
  if (mistake !== undefined) throw new Error(`${at.place} ${mistake}`);
  const { items } = await ask('GET /v1/sealing-keys');
  const [key] = items;
  if (key === undefined) throw new Error('The service has no key to seal secrets with: ask an operator.');
  return await new Sealer(key).seal(secret, at);
}
