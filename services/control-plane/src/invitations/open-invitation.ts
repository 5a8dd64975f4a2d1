/** The information that the page gets for a right code: who asks, why, which secrets, and where they are used. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { SealingKey } from '@databridge/kernel/secrets/sealer';
import { NOTICE_EVENT_TYPE } from '@databridge/schemas/event/event-types';
import { readInvitationCode } from '@databridge/schemas/records/invitation-code';
import type { Invitation } from '@databridge/schemas/records/invitations';
import { recipientsOf } from '@databridge/schemas/rights/secret-recipients';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { hashOfLink, isCode, nothingBehind } from './invite.ts';
import type { IssuedTicket, Tickets } from './tickets.ts';

export const MAX_WRONG_CODES = 5;
/** The length of a code. */
const NO_CODE = '00000000';

export interface Opened extends IssuedTicket {
  readonly kind: Invitation['kind'];
  readonly customer: string;
  readonly by: string;
  readonly reason?: string;
  /**
   * The hosts at which the secrets are used, such as `https://api.example.com`; for a set-up, the hosts that may be
   * named.
   */
  readonly goesTo: readonly string[];
  readonly places: readonly string[];
  /** Whether a set-up is for operational notices only: these may be sent by mail. */
  readonly isForNotices: boolean;
  readonly key: SealingKey;
}

type Context = Pick<ControlPlaneContext, 'subscriptions' | 'invitations' | 'desk' | 'commit' | 'log'>;

/** The same answer for every reason, so that guessing reveals nothing. */
export const noSuchInvitation = () =>
  new DatabridgeError(
    'DB_NOT_FOUND',
    'This link and code are not valid: the code may be wrong, or the link has expired or was used or revoked. Ask the person who sent it for a new one',
  );

/** @throws {DatabridgeError} DB_NOT_FOUND */
export async function openInvitation(
  context: Context,
  tickets: Tickets,
  { linkId, code: typed }: { readonly linkId: string; readonly code: string },
  nowMs: number,
): Promise<Opened> {
  const id = hashOfLink(linkId);
  const invitation = (await context.invitations()).get(id);
  const code = readInvitationCode(typed);
  // The code is compared before every refusal: unknown, expired, used and wrong ones take the same time.
  const isRight = isCode(context.desk, invitation ?? nothingBehind(context.desk, id), code ?? NO_CODE);
  // A code that was never issued is not a guess.
  if (invitation === undefined || code === undefined) throw noSuchInvitation();
  if (invitation.state !== 'open' || invitation.expiresAtMs <= nowMs) throw noSuchInvitation();
  if (!isRight) {
    await countFailure(context, invitation, nowMs);
    throw noSuchInvitation();
  }
  const subscription = (await context.subscriptions()).get(invitation.customer);
  const goesTo = destinationsOf(invitation, subscription);
  const [key] = context.desk.sealingKeys;
  if (goesTo === undefined || key === undefined) throw noSuchInvitation();
  const { kind, customer, by, reason, places, grant } = invitation;
  const isForNotices = grant?.eventTypes.every((name) => name === NOTICE_EVENT_TYPE) === true;
  return {
    ...(await tickets.issue(invitation.id, JSON.stringify(goesTo), nowMs)),
    ...{ kind, customer, by: by.name, goesTo, places, isForNotices, key },
    ...(reason !== undefined && { reason }),
  };
}

/** @returns undefined if the customer with the secrets was deleted */
export function destinationsOf(
  { kind, hosts }: Pick<Invitation, 'kind' | 'hosts'>,
  subscription: Subscription | undefined,
): string[] | undefined {
  if (kind === 'setup') return [...(hosts ?? [])];
  if (subscription === undefined) return undefined;
  return [...new Set(Object.values(recipientsOf(subscription)).filter((one) => one !== ''))];
}

async function countFailure(context: Context, invitation: Invitation, nowMs: number): Promise<void> {
  const failures = invitation.failures + 1;
  const { id, customer } = invitation;
  if (failures < MAX_WRONG_CODES) {
    await context.commit([{ invitation: { ...invitation, failures } }]);
    return;
  }
  const locked: Invitation = { ...invitation, failures, state: 'locked', changedAtMs: nowMs };
  await context.commit([
    { what: 'lock-invitation', customer, detail: { invitation: id, failures } },
    { invitation: locked },
  ]);
  context.log.error(
    { event: 'invitation_locked', customer, invitation: id, failures },
    'invitation locked after wrong codes',
  );
}
