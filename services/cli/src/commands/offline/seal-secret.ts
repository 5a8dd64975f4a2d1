import { DatabridgeError } from '@databridge/kernel/errors';
import { type SealedPlace, Sealer, type SealingKey } from '@databridge/kernel/secrets/sealer';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import type { ApiClient } from '../../api/api-client.ts';

/**
 * Checks a secret and seals it here: the API, and whatever is between it and this machine, sees the seal alone.
 * @throws {DatabridgeError} DB_INPUT_INVALID
 */
export async function sealSecret(api: ApiClient, at: SealedPlace, secret: string): Promise<string> {
  const mistake = secretMistake(at.place, secret);
  if (mistake !== undefined) throw new DatabridgeError('DB_INPUT_INVALID', `${at.place} ${mistake}`);
  return await new Sealer(await currentKey(api)).seal(secret, at);
}

export async function currentKey(api: ApiClient): Promise<SealingKey> {
  const { items } = await api.get<{ items: SealingKey[] }>('/sealing-keys');
  const [current] = items;
  if (current === undefined) throw new DatabridgeError('DB_INTERNAL', 'The API named no sealing key');
  return current;
}
