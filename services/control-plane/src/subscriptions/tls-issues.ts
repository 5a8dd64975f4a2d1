/** Whether TLS can be spoken with what a subscription gives: judged when it is saved, not when a worker connects. */
import { tlsIdentityMistakes } from '@databridge/kernel/egress/tls-identity';
import type { Issue } from '@databridge/schemas/subscription/issue-words';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** @param subscription its key as a person gives it; a key that is sealed or left out is not judged */
export function tlsIssues({ tls }: Subscription, nowMs: number): Issue[] {
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
  return mistakes.map(({ place, message }) => ({ path: ['tls', place], message }));
}
