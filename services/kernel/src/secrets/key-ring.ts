import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { DatabridgeError, messageOf } from '../errors.ts';
import { Secret } from './secret.ts';

const KEY_BYTES = 32;
const MARK = 'mark';
/** 132 bits: nobody finds another secret with the same. */
const MARK_CHARS = 22;

/**
 * Seals secrets as compact JWE (`dir`, A256GCM) under named keys. The first key seals; all of them unseal, so that
 * a rotation adds a key in front, re-seals, and drops the old one.
 *
 * A seal is bound to its owner (`sub` in the protected header): a sealed secret copied into another customer's
 * record does not open there.
 */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly currentKid: string;

  /**
   * @param text `kid:key,kid:key`, the current one first; a key is 32 bytes in base64url
   * @throws {DatabridgeError} DB_KEY_RING_INVALID
   */
  constructor(text: string) {
    const keys = new Map<string, Uint8Array>();
    for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
      const [kid = '', encoded = ''] = entry.split(':');
      const key = Buffer.from(encoded, 'base64url');
      if (kid === '' || key.length !== KEY_BYTES) {
        throw new DatabridgeError(
          'DB_KEY_RING_INVALID',
          `Key ${keys.size + 1} of the key ring is not "name:key" with a key of ${KEY_BYTES} bytes in base64url`,
        );
      }
      if (keys.has(kid)) throw new DatabridgeError('DB_KEY_RING_INVALID', `The key ring names "${kid}" twice`);
      keys.set(kid, key);
    }
    const [first] = keys.keys();
    if (first === undefined) throw new DatabridgeError('DB_KEY_RING_INVALID', 'The key ring is empty');
    this.#keys = keys;
    this.currentKid = first;
  }

  /** Of all keys, the current one first. */
  get kids(): string[] {
    return [...this.#keys.keys()];
  }

  /** A new key in the form that the constructor reads. */
  static generate(kid: string): string {
    return `${kid}:${Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString('base64url')}`;
  }

  /** @param owner the customer that the secret belongs to */
  async seal(secret: string, owner: string): Promise<string> {
    const kid = this.currentKid;
    return await new CompactEncrypt(new TextEncoder().encode(secret))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, sub: owner, [MARK]: this.#mark(kid, secret, owner) })
      .encrypt(this.#key(kid));
  }

  /**
   * Whether that secret is the one sealed, told by its mark and without opening it. False if the key is gone, too.
   * The mark tells whoever has no key only that two secrets of one customer are the same.
   */
  holds(sealed: string, secret: string, owner: string): boolean {
    try {
      const header = decodeProtectedHeader(sealed);
      const mark = Buffer.from(this.#mark(String(header.kid), secret, owner));
      const found = Buffer.from(String(header[MARK]));
      return header['sub'] === owner && found.length === mark.length && timingSafeEqual(found, mark);
    } catch {
      return false;
    }
  }

  /**
   * The same secret under the current key. JWE has no way to exchange the key of what is sealed directly under it, so
   * it is opened for that moment.
   * @returns the very text if it is sealed under the current key already
   * @throws {DatabridgeError} DB_SECRET_UNSEALABLE
   */
  async reseal(sealed: string, owner: string): Promise<string> {
    if (kidOf(sealed) === this.currentKid) return sealed;
    return await this.seal((await this.unseal(sealed, owner)).reveal(), owner);
  }

  /** @throws {DatabridgeError} DB_SECRET_UNSEALABLE: unknown key, another owner's secret, or damaged */
  async unseal(sealed: string, owner: string): Promise<Secret> {
    try {
      const { kid } = decodeProtectedHeader(sealed);
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, this.#key(String(kid)), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      if (protectedHeader['sub'] !== owner) throw new Error('it was sealed for another customer');
      return new Secret(new TextDecoder().decode(plaintext));
    } catch (error) {
      throw new DatabridgeError(
        'DB_SECRET_UNSEALABLE',
        `A secret of "${owner}" can't be unsealed: ${messageOf(error)}. Check that every service has the same key ring.`,
      );
    }
  }

  /**
   * Further keys of 32 bytes, one for each key of the ring and by its name, for another purpose than sealing: whoever
   * learns one of them learns nothing about the ring (HKDF, RFC 5869). The current one comes first.
   */
  derivedKeys(purpose: string): ReadonlyMap<string, Uint8Array> {
    const derive = (key: Uint8Array) => new Uint8Array(hkdfSync('sha256', key, '', purpose, KEY_BYTES));
    return new Map([...this.#keys].map(([kid, key]) => [kid, derive(key)]));
  }

  #mark(kid: string, secret: string, owner: string): string {
    const markingKey = createHmac('sha256', this.#key(kid)).update('databridge secret mark').digest();
    return createHmac('sha256', markingKey).update(`${owner}\n${secret}`).digest('base64url').slice(0, MARK_CHARS);
  }

  #key(kid: string): Uint8Array {
    const key = this.#keys.get(kid);
    if (key === undefined) throw new Error(`the key ring has no key "${kid}"`);
    return key;
  }
}

/** Which key a secret is sealed under; undefined: it is no sealed secret. */
export function kidOf(sealed: string): string | undefined {
  try {
    return decodeProtectedHeader(sealed).kid;
  } catch {
    return undefined;
  }
}
