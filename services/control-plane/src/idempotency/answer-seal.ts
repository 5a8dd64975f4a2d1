import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';

/**
 * Seals the answers that are kept for idempotency keys, for control planes only: an answer may contain data that only
 * its caller may read. A seal is bound to the place of its key, so it cannot be moved to another caller's.
 */
export class AnswerSeal {
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  /** @param keys of 32 bytes, by name, the current one first */
  constructor(keys: ReadonlyMap<string, Uint8Array>) {
    this.#keys = keys;
  }

  async seal(answer: string, place: string): Promise<string> {
    const [kid = ''] = this.#keys.keys();
    return await new CompactEncrypt(new TextEncoder().encode(answer))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, sub: place })
      .encrypt(this.#keys.get(kid) ?? new Uint8Array());
  }

  /** @returns undefined if its key was removed, or it belongs to another place */
  async open(sealed: string, place: string): Promise<string | undefined> {
    try {
      const key = this.#keys.get(String(decodeProtectedHeader(sealed).kid)) ?? new Uint8Array();
      const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, key, options);
      return protectedHeader['sub'] === place ? new TextDecoder().decode(plaintext) : undefined;
    } catch {
      return undefined;
    }
  }
}
