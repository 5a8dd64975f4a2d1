/** Key pairs that the browser creates: the customer gets the public half, which replaces a shared secret. */

export interface SigningKey {
  /** The private key, which is sealed at once and never shown. */
  readonly secret: string;
  /** The public key `whpk_…`, in the format of Standard Webhooks. */
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

export interface ClientKey {
  /** The private key in PEM, which is sealed at once and never shown. */
  readonly secret: string;
  /** The public key as JWK, for the authorization server. */
  readonly publicKey: string;
}

/** Creates an ES256 key for assertions of an OAuth client (RFC 7523). @param kid id of the key, if the server wants one */
export async function makeClientKey(kid: string | undefined): Promise<ClientKey> {
  const { subtle } = crypto;
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y } = await subtle.exportKey('jwk', pair.publicKey);
  const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey));
  return {
    secret: `-----BEGIN PRIVATE KEY-----\n${base64(pkcs8).replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
    publicKey: JSON.stringify({ kty, crv, x, y, use: 'sig', alg: 'ES256', kid }),
  };
}
