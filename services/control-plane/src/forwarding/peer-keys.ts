import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';

/**
 * The keys by which control planes know each other, derived from the sharing keys, which control planes alone have. Whoever
 * can only write to Kafka has none of them.
 */
export interface PeerKeys {
  /** By the name of the sharing key; the current one first. For signatures (HS256). */
  readonly signing: ReadonlyMap<string, Uint8Array>;
  /** By the same names, for encrypted bodies (A256GCM). */
  readonly encryption: ReadonlyMap<string, Uint8Array>;
}

/** Of the same origin: for what a control plane keeps for the one after it (A256GCM). */
export const answerKeys = (desk: Pick<SealingDesk, 'derivedKeys'>): ReadonlyMap<string, Uint8Array> =>
  desk.derivedKeys('databridge control planes: kept answers');

export function peerKeys(desk: Pick<SealingDesk, 'derivedKeys'>): PeerKeys {
  return {
    signing: desk.derivedKeys('databridge control planes: signatures'),
    encryption: desk.derivedKeys('databridge control planes: bodies'),
  };
}
