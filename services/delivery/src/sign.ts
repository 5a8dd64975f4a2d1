import { createHmac, createPrivateKey, createSecretKey, type KeyObject, sign } from 'node:crypto';
import type { Secret } from '@databridge/kernel/secret';

type SignText = (head: string, body: string) => string;

/** What PKCS #8 puts before the 32 bytes of an Ed25519 seed (RFC 8410 §7). */
const ED25519_PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519_SEED_BYTES = 32;

/**
 * Signs by Standard Webhooks 1.0 over `id.timestamp.body`: symmetric (`v1`, HMAC-SHA256) or asymmetric (`v1a`,
 * Ed25519). Two keys give two signatures, so that a receiver can change its own at leisure.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class Signer {
  readonly #keys: readonly SignText[];

  /** @param secrets `whsec_` and base64, or `whsk_` and the base64 of an Ed25519 key; the newest first */
  constructor(secrets: readonly Secret[]) {
    this.#keys = secrets.map((secret) => signatureBy(secret.reveal()));
  }

  /** @param timestampSeconds of this attempt, since the epoch */
  sign(id: string, timestampSeconds: number, body: string): string {
    const head = `${id}.${timestampSeconds}.`;
    return this.#keys.map((key) => key(head, body)).join(' ');
  }
}

function signatureBy(secret: string): SignText {
  if (secret.startsWith('whsk_')) {
    const key = ed25519Key(Buffer.from(secret.slice('whsk_'.length), 'base64'));
    return (head, body) => `v1a,${sign(null, Buffer.from(head + body), key).toString('base64')}`;
  }
  const key = createSecretKey(Buffer.from(secret.slice('whsec_'.length), 'base64'));
  return (head, body) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`;
}

/** @param bytes the seed, or the seed and the public key after it, as NaCl keeps it */
function ed25519Key(bytes: Buffer): KeyObject {
  const der = Buffer.concat([ED25519_PKCS8_HEAD, bytes.subarray(0, ED25519_SEED_BYTES)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
