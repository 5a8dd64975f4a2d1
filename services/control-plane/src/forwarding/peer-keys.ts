import type { KeyRing } from '@databridge/kernel/secrets/key-ring';

/**
 * The keys by which control planes know each other, derived from the key ring that all of them have anyway. No setting
 * can be forgotten so, and whoever can only write to Kafka has none of them.
 */
export interface PeerKeys {
  /** By the name of the ring's key; the current one first. For signatures (HS256). */
  readonly signing: ReadonlyMap<string, Uint8Array>;
  /** By the same names, for encrypted bodies (A256GCM). */
  readonly encryption: ReadonlyMap<string, Uint8Array>;
}

export function peerKeys(ring: Pick<KeyRing, 'derivedKeys'>): PeerKeys {
  return {
    signing: ring.derivedKeys('databridge control planes: signatures'),
    encryption: ring.derivedKeys('databridge control planes: bodies'),
  };
}
