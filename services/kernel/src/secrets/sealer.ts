/**
 * Seals secrets so that delivery workers alone can open them: compact JWE, `ECDH-ES` on P-256 with A256GCM. Runs in
 * browsers as in Node, and needs public keys only.
 */
import { CompactEncrypt } from 'jose';

/** The public half of a key of P-256: coordinates in base64url. */
export interface SealingKey {
  readonly kid: string;
  readonly x: string;
  readonly y: string;
}

/** What a seal is bound to: moved to another customer or place, it does not open. */
export interface SealedPlace {
  readonly customer: string;
  /** As `mapSecrets` names it, such as `authentication.key`; that of a fallback is the place where it stood. */
  readonly place: string;
}

export const SEAL_ALGORITHM = 'ECDH-ES';
export const SEAL_ENCRYPTION = 'A256GCM';

/** Goes into the derivation of each seal's key (RFC 7518 §4.6.1.3: PartyVInfo), beside the protected header. */
export const partyInfo = ({ customer, place }: SealedPlace): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([customer, place]));

export class Sealer {
  readonly #key: SealingKey;

  /** @param key the current one */
  constructor(key: SealingKey) {
    this.#key = key;
  }

  /**
   * @param mark by which {@link SealingDesk} tells whether another secret is the same one; left out: nobody can tell
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
