/** What the page learns for a right code: who asks, why, where the secrets go, and which. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { SealingKey } from '@databridge/kernel/secrets/sealer';
import { readInvitationCode } from '@databridge/schemas/records/invitation-code';
import type { Invitation } from '@databridge/schemas/records/invitations';
import { recipientsOf } from '@databridge/schemas/rights/secret-recipients';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { hashOfLink, isCode, nothingBehind } from './invite.ts';
import type { IssuedTicket, Tickets } from './tickets.ts';

export const MAX_WRONG_CODES = 5;
/** As long as a code. */
const NO_CODE = '00000000';

export interface Opened extends IssuedTicket {
  readonly kind: Invitation['kind'];
  readonly customer: string;
  readonly by: string;
  readonly reason?: string;
  /** Where the secrets are used, such as `https://api.example.com`; of a set-up, hosts that may be named. */
  readonly goesTo: readonly string[];
  readonly places: readonly string[];
  readonly key: SealingKey;
}

type Context = Pick<ControlPlaneContext, 'subscriptions' | 'invitations' | 'desk' | 'commit' | 'log'>;

/** One answer for every reason: whoever guesses learns nothing from it. */
export const noSuchInvitation = () =>
  new DatabridgeError(
    'DB_NOT_FOUND',
    'This link and code open nothing: the code may be wrong, or the link expired, used or withdrawn. Ask whoever sent it for a new one',
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
  // Whatever it is refused for, the code is compared first: unknown, expired, used and wrong are the same work.
  const isRight = isCode(context.desk, invitation ?? nothingBehind(context.desk, id), code ?? NO_CODE);
  // A code that nobody was ever given is no guess.
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
  const { kind, customer, by, reason, places } = invitation;
  return {
    ...(await tickets.issue(invitation.id, JSON.stringify(goesTo), nowMs)),
    ...{ kind, customer, by: by.name, goesTo, places, key },
    ...(reason !== undefined && { reason }),
  };
}

/** @returns undefined if the customer that has the secrets is gone */
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
