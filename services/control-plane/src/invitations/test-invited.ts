/** The test event after an answer, and its result for the person who answered. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { ControlPlaneContext } from '../context.ts';
import { sendTest } from '../operations/send-test.ts';
import type { AttemptView } from '../views/attempts/attempt-view.ts';
import { noSuchInvitation } from './open-invitation.ts';
import type { Ticket } from './tickets.ts';

export interface Tested {
  readonly isAccepted: boolean;
  readonly words: string;
}

/** @throws {DatabridgeError} DB_NOT_FOUND if nothing was answered with that ticket */
export async function testInvited(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'producer' | 'invitations'>,
  attempts: Pick<AttemptView, 'listen'>,
  ticket: Ticket,
): Promise<Tested> {
  const invitation = (await context.invitations()).get(ticket.invitation);
  if (invitation?.state !== 'used' || invitation.ticket !== ticket.id) throw noSuchInvitation();
  // The worker sends it once it knows the saved subscription.
  const attempt = await attemptOf(context, attempts, invitation.customer);
  if (typeof attempt === 'string') return { isAccepted: false, words: attempt };
  return { isAccepted: attempt.outcome === 'delivered', words: wordsOf(attempt) };
}

async function attemptOf(
  context: Parameters<typeof testInvited>[0],
  attempts: Pick<AttemptView, 'listen'>,
  customer: string,
): Promise<Attempt | string> {
  try {
    return (await sendTest(context, attempts, customer, undefined)).attempt;
  } catch (error) {
    if (!(error instanceof DatabridgeError)) throw error;
    if (error.code !== 'DB_TEST_UNANSWERED') throw error;
    return 'The test event was not sent in time. What you entered may not be usable: check it, and test again.';
  }
}

/** The destination's answer, without details for operators. */
function wordsOf({ outcome, status, error, answer }: Attempt): string {
  const said = answer === undefined || answer === '' ? '' : ` It said: ${answer.slice(0, 300)}`;
  switch (outcome) {
    case 'delivered':
      return `Your destination accepted the test event${status === undefined ? '' : ` (status ${status})`}.`;
    case 'deauthorized':
      return `Your destination rejected our credentials (${status ?? error}): the secret may be wrong.${said}`;
    case 'blocked':
      return 'The address of your destination may not be sent to: it is not a public one.';
    default:
      return `Your destination did not accept the test event (${status ?? error ?? outcome}).${said}`;
  }
}
