/**
 * A client certificate by request on the set-up page: the link is opened once to make the request, and again with the
 * signed certificate.
 */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Invitation } from '@databridge/schemas/records/invitations';
import type { CertificateRequest } from '@databridge/schemas/requests/worker-requests';
import { SECRET_MASK } from '@databridge/schemas/subscription/secret-places';
import type { ControlPlaneContext } from '../context.ts';
import {
  CLIENT_KEY,
  certificateRequestOf,
  keyOf,
  requestCertificate,
  usualName,
} from '../subscriptions/client-certificate.ts';
import type { InvitationAnswer } from './answer-invitation.ts';
import { noSuchInvitation } from './open-invitation.ts';
import type { Ticket } from './tickets.ts';

/** @throws {DatabridgeError} DB_NOT_FOUND; DB_INPUT_INVALID if the link is for other secrets */
export async function invitedToRequest(
  context: Pick<ControlPlaneContext, 'invitations'>,
  ticket: Ticket,
): Promise<Invitation> {
  const invitation = (await context.invitations()).get(ticket.invitation);
  const isOpen = invitation?.state === 'open' || (invitation?.state === 'used' && invitation.ticket === ticket.id);
  if (invitation === undefined || !isOpen) throw noSuchInvitation();
  if (invitation.kind === 'secrets' && !invitation.places.includes(CLIENT_KEY)) {
    throw new DatabridgeError('DB_INPUT_INVALID', 'This link does not accept a client certificate');
  }
  return invitation;
}

/**
 * The request of the invitation, which names it: opening the link again shows the same request.
 * @throws {DatabridgeError} DB_WORKER_UNANSWERED
 */
export async function requestInvited(
  context: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'producer'>,
  { id, customer }: Pick<Invitation, 'id' | 'customer'>,
): Promise<CertificateRequest> {
  const latest = await certificateRequestOf(context, customer);
  return latest?.id === id ? latest : await requestCertificate(context, customer, usualName(customer), id);
}

/**
 * The answer with the sealed key that goes with its certificate, and with the certificate in what is stated.
 * @throws {DatabridgeError} DB_CONFLICT if nothing was requested by this link, or something else since; DB_INPUT_INVALID
 */
export async function withRequestedKey(
  context: Pick<ControlPlaneContext, 'kafka' | 'desk'>,
  { id, customer }: Pick<Invitation, 'id' | 'customer'>,
  answer: InvitationAnswer,
): Promise<InvitationAnswer> {
  const { certificate, secrets, setup } = answer;
  if (secrets[CLIENT_KEY] !== undefined && (certificate !== undefined || setup === undefined)) {
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      `${CLIENT_KEY} must be left out: the key of the certificate request is used`,
    );
  }
  if (certificate === undefined) return answer;
  const request = await certificateRequestOf(context, customer);
  if (request?.id !== id) {
    throw new DatabridgeError('DB_CONFLICT', 'This link no longer has a certificate request: make a new one');
  }
  const sealedKey = await keyOf(context, request, certificate);
  const tls = { ...(setup?.tls as object | undefined), clientCertificate: certificate, clientKey: SECRET_MASK };
  return {
    ...answer,
    secrets: { ...secrets, [CLIENT_KEY]: sealedKey },
    ...(setup !== undefined && { setup: { ...setup, tls } }),
  };
}
