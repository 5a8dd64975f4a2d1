/** What a seal is made of: shared by those that make seals and those that open them, who need no library for it. */
import type { SealedPlace } from './sealer.ts';

export const SEAL_ALGORITHM = 'ECDH-ES';
export const SEAL_ENCRYPTION = 'A256GCM';

/** Part of the derivation of each seal's key (RFC 7518 §4.6.1.3: PartyVInfo), besides the protected header. */
export const partyInfo = ({ customer, place }: SealedPlace): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([customer, place]));
