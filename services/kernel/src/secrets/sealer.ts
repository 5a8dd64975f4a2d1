/**
 * Seals secrets so that only delivery workers can open them: compact JWE, `ECDH-ES` on P-256 with A256GCM. It runs in
 * browsers as well as in Node, and needs only public keys.
 */
import { CompactEncrypt } from 'jose';
import { partyInfo, SEAL_ALGORITHM, SEAL_ENCRYPTION } from './seal-form.ts';

/** The public half of a P-256 key: coordinates in base64url. */
export interface SealingKey {
  readonly kid: string;
  readonly x: string;
  readonly y: string;
}

/** The customer and place that a seal is bound to: moved to another one, it does not open. */
export interface SealedPlace {
  readonly customer: string;
  /**
   * The place as `mapSecrets` names it, such as `authentication.key`; a fallback has the place of the original secret.
   */
  readonly place: string;
}

export class Sealer {
  readonly #key: SealingKey;

  /** @param key the current sealing key */
  constructor(key: SealingKey) {
    this.#key = key;
  }

  /**
   * @param mark lets {@link SealingDesk} compare another secret with this one; if omitted, nobody can
   * @returns compact JWE
   */
  async seal(secret: string, { customer, place }: SealedPlace, mark?: string): Promise<string> {
    const { kid, x, y } = this.#key;
    const header = { alg: SEAL_ALGORITHM, enc: SEAL_ENCRYPTION, kid, sub: customer, place };
    return await new CompactEncrypt(new TextEncoder().encode(secret))
      .setProtectedHeader(mark === undefined ? header : { ...header, mark })
      .setKeyManagementParameters({ apv: partyInfo({ customer, place }) })
      .encrypt({ kty: 'EC', crv: 'P-256', x, y });
  }
}
