import { DatabridgeError } from '@databridge/kernel/errors';
import type { Opener } from '@databridge/kernel/secrets/opener';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { mapSecretsAsync, placeOfSeal } from '@databridge/schemas/subscription/secret-places';
import { secretMistake } from '@databridge/schemas/subscription/secret-rules';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/**
 * Opens all secrets of a subscription. They are validated again, because nobody else has seen a secret that a browser
 * or a command line sealed.
 * @throws {DatabridgeError} DB_SECRET_UNSEALABLE, DB_SECRET_INVALID
 */
export async function openSecrets(opener: Opener, subscription: Subscription): Promise<Subscription<Secret>> {
  const { customer } = subscription;
  return await mapSecretsAsync(subscription, async (sealed, path) => {
    const place = placeOfSeal(path);
    const secret = await opener.open(sealed, { customer, place });
    const mistake = secretMistake(place, secret.reveal());
    if (mistake === undefined) return secret;
    throw new DatabridgeError(
      'DB_SECRET_INVALID',
      `The secret "${place}" of "${customer}" ${mistake}: set the secret again`,
    );
  });
}
