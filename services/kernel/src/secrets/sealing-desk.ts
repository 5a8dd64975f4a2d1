import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { DatabridgeError } from '../errors.ts';
import type { KeySet } from './key-set.ts';
import { SEAL_ALGORITHM, SEAL_ENCRYPTION } from './seal-form.ts';
import { type SealedPlace, Sealer, type SealingKey } from './sealer.ts';

const KEY_BYTES = 32;
/** 132 bits: nobody can find another secret with the same mark. */
const MARK_CHARS = 22;
const MARKING = 'databridge secret mark';

/**
 * Handles secrets in a control plane: seals them, compares a secret with a sealed one by its mark, and checks the
 * headers of seals that others made. It has no key that opens secrets.
 */
export class SealingDesk {
  readonly #sealing: ReadonlyMap<string, SealingKey>;
  readonly #sharing: ReadonlyMap<string, Uint8Array>;
  readonly #marking: ReadonlyMap<string, Uint8Array>;
  readonly #sealer: Sealer;

  /** @throws {DatabridgeError} DB_KEY_RING_INVALID if a key is missing, or one of them opens secrets */
  constructor({ opening, sealing, sharing, older }: KeySet) {
    const tooMany = [...opening.keys(), ...older.keys()];
    if (tooMany.length > 0) {
      throw new DatabridgeError(
        'DB_KEY_RING_INVALID',
        `The key "${tooMany[0]}" opens secrets, so it belongs to delivery workers alone; a control plane needs the file "control-plane.keys" that "databridge keys generate" writes`,
      );
    }
    const [current] = sealing.values();
    if (current === undefined || sharing.size === 0) {
      throw new DatabridgeError(
        'DB_KEY_RING_INVALID',
        `There is no ${current === undefined ? 'sealing' : 'sharing'} key: a control plane needs the file "control-plane.keys" that "databridge keys generate" writes`,
      );
    }
    this.#sealing = sealing;
    this.#sharing = sharing;
    this.#marking = this.derivedKeys(MARKING);
    this.#sealer = new Sealer(current);
  }

  /** The public keys that seal secrets, the current one first. */
  get sealingKeys(): readonly SealingKey[] {
    return [...this.#sealing.values()];
  }

  get kids(): string[] {
    return [...this.#sealing.keys()];
  }

  async seal(secret: string, at: SealedPlace): Promise<string> {
    const [kid] = this.#marking.keys();
    return await this.#sealer.seal(secret, at, kid === undefined ? undefined : this.#mark(kid, secret, at));
  }

  /**
   * Compares the secret with the sealed one by its mark.
   * @returns whether they are equal; undefined if that is unknown, because it was sealed elsewhere, or marked by a key
   *   that was removed
   */
  matches(sealed: string, secret: string, at: SealedPlace): boolean | undefined {
    const header = headerOf(sealed);
    const found = String(header?.['mark'] ?? '');
    const kid = found.slice(0, -MARK_CHARS - 1);
    // Earlier versions made the mark with the key that sealed.
    if (header?.['alg'] !== SEAL_ALGORITHM || !this.#marking.has(kid)) return undefined;
    if (header['sub'] !== at.customer || header['place'] !== at.place) return false;
    const expected = Buffer.from(this.#mark(kid, secret, at));
    const given = Buffer.from(found);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** @returns why this is not a seal for this place; undefined if it is one, as far as its header shows */
  sealMistake(sealed: string, { customer, place }: SealedPlace): string | undefined {
    const header = headerOf(sealed);
    if (header === undefined || sealed.split('.').length !== 5) return 'is not a compact JWE';
    if (header['alg'] !== SEAL_ALGORITHM || header['enc'] !== SEAL_ENCRYPTION) {
      return `must be sealed by ${SEAL_ALGORITHM} and ${SEAL_ENCRYPTION}`;
    }
    if (!this.#sealing.has(String(header['kid']))) {
      return `is sealed by the key "${header['kid']}", which is not among ${this.kids.join(', ')} (GET /v1/sealing-keys)`;
    }
    if (header['sub'] !== customer || header['place'] !== place) return 'is sealed for another customer or place';
    return undefined;
  }

  /**
   * Derives further keys of 32 bytes for one purpose, one for each sharing key and with its name: knowing one of them
   * reveals nothing about the others (HKDF, RFC 5869). The current one comes first.
   */
  derivedKeys(purpose: string): ReadonlyMap<string, Uint8Array> {
    const derive = (key: Uint8Array) => new Uint8Array(hkdfSync('sha256', key, '', purpose, KEY_BYTES));
    return new Map([...this.#sharing].map(([kid, key]) => [kid, derive(key)]));
  }

  #mark(kid: string, secret: string, { customer, place }: SealedPlace): string {
    const mac = createHmac('sha256', this.#marking.get(kid) ?? '').update(JSON.stringify([customer, place, secret]));
    return `${kid}.${mac.digest('base64url').slice(0, MARK_CHARS)}`;
  }
}

/** The mark within a seal; undefined if it has none. */
export function markOf(sealed: string): string | undefined {
  const mark = headerOf(sealed)?.['mark'];
  return typeof mark === 'string' && headerOf(sealed)?.['alg'] === SEAL_ALGORITHM ? mark : undefined;
}

/** The name of the key that a secret is sealed with; undefined if it is not a sealed secret. */
export function kidOf(sealed: string): string | undefined {
  const kid = headerOf(sealed)?.['kid'];
  return typeof kid === 'string' ? kid : undefined;
}

function headerOf(sealed: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return { ...decodeProtectedHeader(sealed) };
  } catch {
    return undefined;
  }
}
