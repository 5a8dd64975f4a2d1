import type { Status } from '@databridge/schemas/api/types';
import { ask } from '../api/client.ts';
import { ConfirmedAction } from '../parts/confirmed-action.tsx';
import { useMe } from '../session/session-gate.tsx';

const ACTIONS = {
  pause: { title: 'Pause', means: 'Nothing is sent until it is resumed. Events wait, without a limit of time.' },
  resume: { title: 'Resume', means: 'What waits is sent, and each event has 24 hours again.' },
  enable: { title: 'Enable', means: 'What waits is sent, and each event has 24 hours again.' },
  disable: { title: 'Disable', means: 'Nothing is sent, and only an operator can enable it again.' },
} as const;
type Action = keyof typeof ACTIONS;

/** The actions on a customer that its state and the user's role allow. */
export function StateActions({ status }: { readonly status: Status }) {
  const { may } = useMe();
  if (!may.act) return null;
  return actionsFor(status, may.operate).map((action) => (
    <StateAction key={action} customer={status.customer} action={action} />
  ));
}

/** What awaits approval is started on the page of approvals alone. */
function actionsFor(
  { state, awaitsApproval, disabledBy }: Pick<Status, 'state' | 'awaitsApproval' | 'disabledBy'>,
  mayOperate: boolean,
): Action[] {
  if (awaitsApproval === true) return state !== 'disabled' && mayOperate ? ['disable'] : [];
  if (state === 'disabled') return disabledBy === 'worker' || mayOperate ? ['enable'] : [];
  return [state === 'paused' ? ('resume' as const) : ('pause' as const), ...(mayOperate ? ['disable' as const] : [])];
}

function StateAction({ customer, action }: { readonly customer: string; readonly action: Action }) {
  const { title, means } = ACTIONS[action];
  return (
    <ConfirmedAction
      title={title}
      heading={`${title} ${customer}`}
      run={() => ask(`POST /v1/subscriptions/{customer}/${action}`, { params: { customer } })}
    >
      <p>{means}</p>
    </ConfirmedAction>
  );
}
