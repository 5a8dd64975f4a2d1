import { createPrivateKey, hash, type KeyObject, sign } from 'node:crypto';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Fallback } from '@databridge/schemas/subscription/subscription';

/** @param signed the bytes to sign begin at {@link HEAD_BYTES}; those before are reserved for the key */
type SignBytes = (signed: Buffer) => string;

/** SHA-256's block size: HMAC puts a block of the key before the message. */
const HEAD_BYTES = 64;
const DIGEST_BYTES = 32;

/** The PKCS #8 header before the 32 bytes of an Ed25519 seed (RFC 8410 §7). */
const ED25519_PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519_SEED_BYTES = 32;

/**
 * Signs by Standard Webhooks 1.0 over `id.timestamp.body`: symmetric (`v1`, HMAC-SHA256) or asymmetric (`v1a`,
 * Ed25519). Two keys give two signatures, so that a receiver can change its own later.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class Signer {
  #keys: readonly SignBytes[];
  readonly #lasting: readonly SignBytes[];
  /** When the last of the old keys stops signing. */
  readonly #oldUntilSeconds: number;

  /**
   * @param secrets `whsec_` and base64, or `whsk_` and the base64 of an Ed25519 key; the newest first
   * @param old keys that were replaced, and that sign as well until their time ends
   */
  constructor(secrets: readonly Secret[], old: readonly Fallback<Secret>[] = []) {
    this.#lasting = secrets.map((secret) => signatureBy(secret.reveal()));
    this.#keys = [...this.#lasting, ...old.map(({ secret }) => signatureBy(secret.reveal()))];
    this.#oldUntilSeconds =
      old.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...old.map(({ untilMs }) => untilMs)) / 1_000;
  }

  /** @param timestampSeconds the time of this attempt, in seconds since the epoch */
  sign(id: string, timestampSeconds: number, body: Uint8Array): string {
    if (timestampSeconds >= this.#oldUntilSeconds) this.#keys = this.#lasting;
    const head = `${id}.${timestampSeconds}.`;
    const headBytes = Buffer.byteLength(head);
    const signed = Buffer.allocUnsafe(HEAD_BYTES + headBytes + body.length);
    signed.write(head, HEAD_BYTES);
    signed.set(body, HEAD_BYTES + headBytes);
    return this.#keys.map((key) => key(signed)).join(' ');
  }
}

function signatureBy(secret: string): SignBytes {
  if (secret.startsWith('whsk_')) {
    const key = ed25519Key(Buffer.from(secret.slice('whsk_'.length), 'base64'));
    return (signed) => `v1a,${sign(null, signed.subarray(HEAD_BYTES), key).toString('base64')}`;
  }
  const hmac = hmacSha256(Buffer.from(secret.slice('whsec_'.length), 'base64'));
  return (signed) => `v1,${hmac(signed)}`;
}

/**
 * HMAC (RFC 2104) by two calls of the one-shot `hash`: `createHmac` allocates an object for each call, which in a busy
 * worker costs more than the hashing (docs/performance.md).
 */
function hmacSha256(secret: Buffer): SignBytes {
  const key = Buffer.alloc(HEAD_BYTES);
  (secret.length > HEAD_BYTES ? hash('sha256', secret, 'buffer') : secret).copy(key);
  const inner = key.map((byte) => byte ^ 0x36);
  const outer = Buffer.alloc(HEAD_BYTES + DIGEST_BYTES);
  outer.set(key.map((byte) => byte ^ 0x5c));
  return (signed) => {
    signed.set(inner);
    outer.set(hash('sha256', signed, 'buffer'), HEAD_BYTES);
    return hash('sha256', outer, 'base64');
  };
}

/** @param bytes the seed, or the seed followed by the public key, as NaCl stores it */
function ed25519Key(bytes: Buffer): KeyObject {
  const der = Buffer.concat([ED25519_PKCS8_HEAD, bytes.subarray(0, ED25519_SEED_BYTES)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
