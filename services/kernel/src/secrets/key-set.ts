/**
 * The key material of one service, as its file contains it. Delivery workers and control planes have different files, so
 * that a control plane has nothing that opens a secret.
 */
import { createECDH, generateKeyPairSync, randomBytes } from 'node:crypto';
import { DatabridgeError } from '../errors.ts';
import type { SealingKey } from './sealer.ts';

/** With the private half, of P-256. */
export interface OpeningKey extends SealingKey {
  readonly d: string;
}

export interface KeySet {
  /** Keys that open secrets, by name, the current one first; only delivery workers have them. */
  readonly opening: ReadonlyMap<string, OpeningKey>;
  /** Public keys that seal secrets. */
  readonly sealing: ReadonlyMap<string, SealingKey>;
  /**
   * Keys that control planes share: for messages that they sign and encrypt for each other, and for the marks of
   * secrets. 32 bytes.
   */
  readonly sharing: ReadonlyMap<string, Uint8Array>;
  /**
   * Symmetric keys of earlier versions, which sealed and opened: they open secrets that are not rotated yet. 32 bytes.
   */
  readonly older: ReadonlyMap<string, Uint8Array>;
}

const KEY_BYTES = 32;
const POINT_BYTES = 65;
const KINDS = ['opening', 'sealing', 'sharing'];
const EXPECTED =
  '"name:opening:…" (32 bytes), "name:sealing:…" (65 bytes), "name:sharing:…" (32 bytes) or, of earlier versions, "name:…" (32 bytes), each in base64url';

/**
 * @param text entries between white space or commas, the current one of each kind first
 * @throws {DatabridgeError} DB_KEY_RING_INVALID
 */
export function parseKeySet(text: string): KeySet {
  const maps = {
    opening: new Map<string, OpeningKey>(),
    sealing: new Map<string, SealingKey>(),
    sharing: new Map<string, Uint8Array>(),
    older: new Map<string, Uint8Array>(),
  };
  for (const [index, entry] of text
    .split(/[\s,]+/)
    .filter(Boolean)
    .entries()) {
    const parts = entry.split(':');
    const kid = parts[0] ?? '';
    const kind = (parts.length === 3 ? parts[1] : 'older') as keyof typeof maps;
    const bytes = Buffer.from(parts.at(-1) ?? '', 'base64url');
    const isKnown = parts.length === 2 || (parts.length === 3 && KINDS.includes(kind));
    const expectedBytes = kind === 'sealing' ? POINT_BYTES : KEY_BYTES;
    if (kid === '' || !isKnown || bytes.length !== expectedBytes) {
      throw invalid(`Entry ${index + 1} of the keys is not one of ${EXPECTED}`);
    }
    if (maps[kind].has(kid)) throw invalid(`The keys name "${kid}" twice`);
    if (kind === 'opening') maps.opening.set(kid, openingKey(kid, bytes, index));
    else if (kind === 'sealing') maps.sealing.set(kid, sealingKey(kid, bytes, index));
    else maps[kind].set(kid, bytes);
  }
  return maps;
}

/**
 * Generates the keys of a new deployment, or the next ones: lines to add before those that each kind of service has.
 * @param kid the name of all of them
 */
export function generateKeySet(kid: string): { readonly delivery: string; readonly controlPlane: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { d = '', x = '', y = '' } = privateKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return {
    delivery: `${kid}:opening:${d}`,
    controlPlane: `${kid}:sealing:${point.toString('base64url')}\n${kid}:sharing:${randomBytes(KEY_BYTES).toString('base64url')}`,
  };
}

function openingKey(kid: string, bytes: Buffer, index: number): OpeningKey {
  try {
    const curve = createECDH('prime256v1');
    curve.setPrivateKey(bytes);
    return { ...sealingKey(kid, curve.getPublicKey(), index), d: bytes.toString('base64url') };
  } catch {
    throw invalid(`Entry ${index + 1} of the keys is not a private key of P-256`);
  }
}

function sealingKey(kid: string, point: Buffer, index: number): SealingKey {
  const half = (POINT_BYTES - 1) / 2;
  try {
    // Refuses coordinates that are not a point of the curve: a seal for them would reveal a key.
    const curve = createECDH('prime256v1');
    curve.generateKeys();
    curve.computeSecret(point);
  } catch {
    throw invalid(`Entry ${index + 1} of the keys is not a public key of P-256`);
  }
  const [x, y] = [point.subarray(1, 1 + half), point.subarray(1 + half)];
  return { kid, x: x.toString('base64url'), y: y.toString('base64url') };
}

const invalid = (message: string) =>
  new DatabridgeError('DB_KEY_RING_INVALID', `${message}; "databridge keys generate" makes a set of keys`);
