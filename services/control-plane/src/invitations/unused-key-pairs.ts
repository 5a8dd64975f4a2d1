/** Key pairs that were made for a client certificate by request, of invitations that ended without using them. */
import type { Invitation } from '@databridge/schemas/records/invitations';
import { CERTIFICATE_REQUESTS_TOPIC } from '@databridge/schemas/records/topics';
import type { CertificateRequest } from '@databridge/schemas/requests/worker-requests';
import type { ControlPlaneContext } from '../context.ts';
import type { Written } from '../subscriptions/changes.ts';
import { CLIENT_KEY, certificateRequestOf } from '../subscriptions/client-certificate.ts';
import { TICKET_MOST_MS } from './tickets.ts';

/** Removes the unused key pair of an invitation that ends, if it has one. @throws {KafkaPortError} */
export async function withoutKeyPair(
  context: Pick<ControlPlaneContext, 'kafka'>,
  { id, customer, kind, places }: Pick<Invitation, 'id' | 'customer' | 'kind' | 'places'>,
): Promise<Written[]> {
  if (kind === 'secrets' && !places.includes(CLIENT_KEY)) return [];
  const request = await certificateRequestOf(context, customer);
  return request?.id === id ? [{ records: [removed(customer)] }] : [];
}

/** The record that removes the key pair of a customer. */
export const removed = (customer: string) => ({ topic: CERTIFICATE_REQUESTS_TOPIC, key: customer, value: null });

/** @returns the customers whose key pair was made for an invitation that ended without using it */
export function unusedKeyPairs(
  requests: ReadonlyMap<string, Pick<CertificateRequest, 'id'>>,
  invitations: ReadonlyMap<string, Invitation>,
  nowMs: number,
): string[] {
  return [...requests].filter(([, { id }]) => isUnused(invitations.get(id), nowMs)).map(([customer]) => customer);
}

function isUnused(invitation: Invitation | undefined, nowMs: number): boolean {
  if (invitation === undefined) return false;
  const { state, expiresAtMs, changedAtMs, receipt } = invitation;
  if (state === 'revoked' || state === 'locked') return true;
  // Until a ticket ends, it can answer, or correct the answer.
  if (state === 'open') return expiresAtMs + TICKET_MOST_MS <= nowMs;
  return receipt?.places.includes(CLIENT_KEY) !== true && changedAtMs + TICKET_MOST_MS <= nowMs;
}
