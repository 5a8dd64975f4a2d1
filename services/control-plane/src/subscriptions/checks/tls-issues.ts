/** Checks that TLS works with the certificates of a subscription: when it is saved, not when a worker connects. */
import { type TlsMistake, tlsIdentityMistakes } from '@databridge/kernel/egress/tls-identity';
import type { Issue } from '@databridge/schemas/subscription/issue-words';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/**
 * A certificate or authority that is stored already is not checked again: a certificate that has expired since must not
 * block other changes of the subscription (`warnings.ts` reports it).
 * @param subscription its key as a person gives it; a key that is sealed or omitted is not checked
 * @param before the stored subscription
 */
export function tlsIssues({ tls }: Subscription, before: Subscription | undefined, nowMs: number): Issue[] {
  if (tls === undefined) return [];
  const { clientCertificate: cert, clientKey: key, ca } = tls;
  const mistakes = tlsIdentityMistakes(
    {
      ...(cert !== undefined && { cert }),
      ...(key?.includes('PRIVATE KEY') && { key }),
      ...(ca !== undefined && { ca }),
    },
    nowMs,
  );
  const isSaved = (place: TlsMistake['place']) => place !== 'clientKey' && tls[place] === before?.tls?.[place];
  return mistakes
    .filter(({ place }) => !isSaved(place))
    .map(({ place, message }) => ({ path: ['tls', place], message }));
}
