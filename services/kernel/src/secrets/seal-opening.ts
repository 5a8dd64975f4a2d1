import {
  createDecipheriv,
  createHash,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
import { SEAL_ALGORITHM, SEAL_ENCRYPTION } from './seal-form.ts';

const CURVE = 'P-256';
const KEY_BITS = 256;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The header of a seal; all of it is authenticated once the seal is open. */
export interface SealHeader {
  readonly [name: string]: unknown;
}

/**
 * Opens a compact JWE of `ECDH-ES` on P-256 with A256GCM, the one form that {@link Sealer} makes (RFC 7516, and RFC
 * 7518 §4.6), by `node:crypto` and synchronously. `jose` does it by WebCrypto, in six tasks of the thread pool, which
 * take twice the processor time: a worker opens the secrets of a thousand customers when it starts. One such task for the
 * agreement of keys alone takes more than it saves, too.
 * @param header from {@link headerOfSeal}; it is authenticated when this returns
 * @throws Error if it has another form, is damaged, or was made for another key
 */
export function openSeal(sealed: string, header: SealHeader, privateKey: KeyObject): Buffer {
  const parts = sealed.split('.');
  const [head = '', sealedKey, iv = '', ciphertext = '', tag = ''] = parts;
  if (parts.length !== 5 || sealedKey !== '') throw new Error('it is no seal: compact JWE, with no key in it');
  const { alg, enc, crit, zip, epk, apu, apv } = header;
  if (alg !== SEAL_ALGORITHM || enc !== SEAL_ENCRYPTION || crit !== undefined || zip !== undefined) {
    throw new Error(`it is not sealed by ${SEAL_ALGORITHM} with ${SEAL_ENCRYPTION} alone`);
  }
  const publicKey = createPublicKey({ key: pointOf(epk), format: 'jwk' });
  const shared = diffieHellman({ privateKey, publicKey });
  const key = derivedKey(shared, bytesOf(apu), bytesOf(apv));
  const nonce = Buffer.from(iv, 'base64url');
  const mac = Buffer.from(tag, 'base64url');
  if (nonce.length !== IV_BYTES || mac.length !== TAG_BYTES) throw new Error('its nonce or its tag is cut');
  // Given bytes, Node finds out by two exceptions that they are no key object, which takes four times as long.
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(head, 'ascii'));
  decipher.setAuthTag(mac);
  return Buffer.concat([decipher.update(ciphertext, 'base64url'), decipher.final()]);
}

/** The protected header, not authenticated yet. @throws Error if there is none */
export function headerOfSeal(sealed: string): SealHeader {
  const [head = ''] = sealed.split('.', 1);
  const text = Buffer.from(head, 'base64url').toString('utf8');
  const header = text.startsWith('{') ? (JSON.parse(text) as SealHeader) : undefined;
  if (header === undefined) throw new Error('it is no seal: its header is missing');
  return header;
}

/** Node checks that the point is on the curve. */
function pointOf(epk: unknown): { kty: 'EC'; crv: typeof CURVE; x: string; y: string } {
  const { kty, crv, x, y } = (epk ?? {}) as Record<string, unknown>;
  if (kty !== 'EC' || crv !== CURVE || typeof x !== 'string' || typeof y !== 'string') {
    throw new Error(`its public key is not one of ${CURVE}`);
  }
  return { kty, crv, x, y };
}

function bytesOf(info: unknown): Buffer {
  return typeof info === 'string' ? Buffer.from(info, 'base64url') : Buffer.alloc(0);
}

/** Concat KDF (NIST SP 800-56A §5.8.1), of which one round of SHA-256 makes a key of 256 bits. */
function derivedKey(shared: Buffer, partyU: Buffer, partyV: Buffer): Buffer {
  const hash = createHash('sha256').update(uint32(1)).update(shared);
  for (const info of [Buffer.from(SEAL_ENCRYPTION), partyU, partyV]) hash.update(uint32(info.length)).update(info);
  return hash.update(uint32(KEY_BITS)).digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
