/** A key that signs every request: better than a secret, since the customer gets, and keeps, the public half alone. */

export interface SigningKey {
  /** Is sealed at once, and shown to nobody. */
  readonly secret: string;
  /** `whpk_…`, as receivers of Standard Webhooks take it. */
  readonly publicKey: string;
}

/** PKCS #8 puts the seed of an Ed25519 key, 32 bytes, at its end (RFC 8410 §7). */
const SEED_BYTES = 32;
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

export async function makeSigningKey(): Promise<SigningKey> {
  const { subtle } = crypto;
  const pair = (await subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey));
  const raw = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
  return { secret: `whsk_${base64(pkcs8.slice(-SEED_BYTES))}`, publicKey: `whpk_${base64(raw)}` };
}
