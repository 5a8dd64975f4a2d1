import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';

/**
 * The keys by which control planes authenticate each other, derived from the sharing keys, which only control planes
 * have. A process that can only write to Kafka has none of them.
 */
export interface PeerKeys {
  /** Keys for signatures (HS256), by the name of the sharing key; the current one first. */
  readonly signing: ReadonlyMap<string, Uint8Array>;
  /** Keys for encrypted bodies (A256GCM), by the same names. */
  readonly encryption: ReadonlyMap<string, Uint8Array>;
}

/** Keys of the same origin (A256GCM), for records that a control plane keeps for its successor. */
export const answerKeys = (desk: Pick<SealingDesk, 'derivedKeys'>): ReadonlyMap<string, Uint8Array> =>
  desk.derivedKeys('databridge control planes: kept answers');

export function peerKeys(desk: Pick<SealingDesk, 'derivedKeys'>): PeerKeys {
  return {
    signing: desk.derivedKeys('databridge control planes: signatures'),
    encryption: desk.derivedKeys('databridge control planes: bodies'),
  };
}
