/**
 * Stores the answer that was entered on the page: the invitation, the subscription and the audit record in one
 * transaction.
 */
import { createHash, randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Invitation, Receipt } from '@databridge/schemas/records/invitations';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { applySubscriptions } from '../subscriptions/apply.ts';
import type { Written } from '../subscriptions/changes.ts';
import { withCertificate } from '../subscriptions/client-certificate.ts';
import { withSecretSet } from '../subscriptions/set-secret.ts';
import { withRequestedKey } from './certificate.ts';
import { destinationsOf, noSuchInvitation } from './open-invitation.ts';
import { applySetup, type Setup } from './setup.ts';
import type { Ticket } from './tickets.ts';

export interface InvitationAnswer {
  /** The seals by place. */
  readonly secrets: Readonly<Record<string, string>>;
  /** For a set-up: the customer's settings, without secrets. */
  readonly setup?: Setup | undefined;
  /** PEM, signed for the request that was made with this link. */
  readonly certificate?: string | undefined;
}

/**
 * The same answer sent again gets the first receipt; another one with the same ticket corrects it.
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_CONFLICT if it was answered by somebody else, or goes elsewhere now;
 *   DB_INPUT_INVALID, with the places
 */
export async function answerInvitation(
  context: ControlPlaneContext,
  ticket: Ticket,
  given: InvitationAnswer,
  nowMs: number,
): Promise<Receipt> {
  const invitation = (await context.invitations()).get(ticket.invitation);
  const subscription = invitation && (await context.subscriptions()).get(invitation.customer);
  if (invitation === undefined || invitation.state === 'revoked' || invitation.state === 'locked') {
    throw noSuchInvitation();
  }
  if (invitation.state === 'used' && invitation.ticket !== ticket.id) {
    throw new DatabridgeError(
      'DB_CONFLICT',
      'This link was answered in the meantime, in another window or by somebody else',
    );
  }
  const digest = createHash('sha256').update(JSON.stringify(given)).digest('base64url');
  if (invitation.receipt?.digest === digest) return invitation.receipt;
  if (JSON.stringify(destinationsOf(invitation, subscription)) !== ticket.sees) {
    throw new DatabridgeError('DB_CONFLICT', 'The destination was changed in the meantime: ask for a new link');
  }
  const answer = await withRequestedKey(context, invitation, given);
  refuseWrongSeals(context, invitation, answer);
  const receipt = { id: randomUUID(), digest, atMs: nowMs, places: Object.keys(answer.secrets).sort() };
  const used: Invitation = { ...invitation, state: 'used', changedAtMs: nowMs, ticket: ticket.id, receipt };
  if (invitation.kind === 'setup') {
    await applySetup(context, invitation, answer, [{ invitation: used }]);
    return receipt;
  }
  if (subscription === undefined) throw noSuchInvitation();
  if (answer.certificate !== undefined) {
    await saveWithCertificate(context, invitation, subscription, answer, used);
    return receipt;
  }
  await context.commit([changeOf(invitation, subscription, answer, nowMs), { invitation: used }]);
  return receipt;
}

/**
 * Checked like every change of a subscription: a certificate may have expired, or be of a kind that TLS does not
 * accept.
 */
async function saveWithCertificate(
  context: ControlPlaneContext,
  { id }: Invitation,
  before: Subscription,
  { certificate = '', secrets }: InvitationAnswer,
  used: Invitation,
): Promise<void> {
  const given = [{ subscription: withCertificate(before, certificate), sets: [] }];
  await applySubscriptions(context, given, 'operator', {
    sealed: new Map(Object.entries(secrets)),
    detail: { invitation: id, names: Object.keys(secrets).sort() },
    alongside: [{ invitation: used }],
  });
}

/** The previous secret is not used any more: otherwise a test event would not show whether the new one is right. */
function changeOf(
  { id, customer }: Invitation,
  before: Subscription,
  { secrets }: InvitationAnswer,
  nowMs: number,
): Written {
  const after = Object.entries(secrets).reduce(
    (one, [place, sealed]) => withSecretSet(one, place, sealed, { overlapMs: 0, nowMs }),
    before,
  );
  return {
    what: 'set-secret',
    customer,
    before,
    after,
    detail: { invitation: id, names: Object.keys(secrets).sort() },
  };
}

function refuseWrongSeals(
  { desk }: Pick<ControlPlaneContext, 'desk'>,
  { kind, customer, places, state }: Invitation,
  { secrets, setup }: InvitationAnswer,
): void {
  const given = Object.keys(secrets);
  if (kind === 'secrets') {
    if (setup !== undefined) throw new DatabridgeError('DB_INPUT_INVALID', 'This link accepts secrets only');
    const other = given.filter((place) => !places.includes(place));
    if (other.length > 0)
      throw new DatabridgeError('DB_INPUT_INVALID', `This link does not accept ${other.join(', ')}`);
    const missing = places.filter((place) => state === 'open' && !given.includes(place));
    if (missing.length > 0) throw new DatabridgeError('DB_INPUT_INVALID', `${missing.join(', ')} is missing`);
  }
  for (const [place, sealed] of Object.entries(secrets)) {
    const mistake = desk.sealMistake(sealed, { customer, place });
    if (mistake !== undefined) throw new DatabridgeError('DB_INPUT_INVALID', `${place} ${mistake}`);
  }
}
