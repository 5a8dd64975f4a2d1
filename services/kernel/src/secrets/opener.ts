import { createPrivateKey, type KeyObject } from 'node:crypto';
import { DatabridgeError, messageOf } from '../errors.ts';
import type { KeySet, OpeningKey } from './key-set.ts';
import { partyInfo, SEAL_ENCRYPTION } from './seal-form.ts';
import { headerOfSeal, openSeal, type SealHeader } from './seal-opening.ts';
import type { SealedPlace } from './sealer.ts';
import { Secret } from './secret.ts';

/** Opens sealed secrets with private keys: in delivery workers, and where keys are rotated, and nowhere else. */
export class Opener {
  readonly #opening: ReadonlyMap<string, OpeningKey>;
  readonly #older: ReadonlyMap<string, Uint8Array>;
  readonly #privateKeys = new Map<string, KeyObject>();

  /** @throws {DatabridgeError} DB_KEY_RING_INVALID if there is no private key */
  constructor({ opening, older }: Pick<KeySet, 'opening' | 'older'>) {
    if (opening.size === 0) {
      throw new DatabridgeError(
        'DB_KEY_RING_INVALID',
        'There is no opening key: a delivery worker needs the file "delivery.keys" that "databridge keys generate" writes',
      );
    }
    this.#opening = opening;
    this.#older = older;
  }

  /** The names of all keys, the current one first. */
  get kids(): string[] {
    return [...this.#opening.keys(), ...this.#older.keys()];
  }

  /** The public half of the key for new seals. */
  get current(): { readonly kid: string; readonly x: string; readonly y: string } {
    // The constructor has checked that there is one.
    const { kid, x, y } = [...this.#opening.values()][0] as OpeningKey;
    return { kid, x, y };
  }

  /** @throws {DatabridgeError} DB_SECRET_UNSEALABLE: unknown key, sealed for another customer or place, or damaged */
  async open(sealed: string, at: SealedPlace): Promise<Secret> {
    try {
      const header = headerOfSeal(sealed);
      const isOlder = header['alg'] === 'dir';
      const plaintext = isOlder ? await this.#openOlder(sealed, header, at) : this.#open(sealed, header, at);
      return new Secret(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext));
    } catch (error) {
      throw new DatabridgeError(
        'DB_SECRET_UNSEALABLE',
        `The secret "${at.place}" of "${at.customer}" can't be unsealed: ${messageOf(error)}. Check the keys of the delivery workers, or set the secret again.`,
      );
    }
  }

  #open(sealed: string, header: SealHeader, at: SealedPlace): Uint8Array {
    const kid = String(header['kid']);
    const key = this.#opening.get(kid);
    if (key === undefined) throw new Error(`there is no opening key "${kid}"`);
    const plaintext = openSeal(sealed, header, this.#privateKeyOf(key));
    if (header['sub'] !== at.customer) throw new Error('it was sealed for another customer');
    if (header['place'] !== at.place) throw new Error('it was sealed for another place');
    const expected = Buffer.from(partyInfo(at)).toString('base64url');
    if (header['apv'] !== expected) throw new Error('it was sealed for another place');
    return plaintext;
  }

  /** Imported once: importing takes as long as opening a secret, and a worker that starts opens thousands. */
  #privateKeyOf({ kid, x, y, d }: OpeningKey): KeyObject {
    const known = this.#privateKeys.get(kid);
    if (known !== undefined) return known;
    const made = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d }, format: 'jwk' });
    this.#privateKeys.set(kid, made);
    return made;
  }

  /** The form in which earlier versions sealed: for a customer, but for no place. */
  async #openOlder(sealed: string, { kid }: SealHeader, { customer }: SealedPlace): Promise<Uint8Array> {
    const key = this.#older.get(String(kid));
    if (key === undefined) throw new Error(`there is no key "${kid}" of an earlier version`);
    // Loaded only here: a worker without such secrets starts without the library.
    const { compactDecrypt } = await import('jose');
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: [SEAL_ENCRYPTION],
    });
    if (protectedHeader['sub'] !== customer) throw new Error('it was sealed for another customer');
    return plaintext;
  }
}
