/** Invitations: links by which customers enter secrets, or set themselves up. */

import type { Invitation } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ask } from '../api/client.ts';
import { Mark } from '../parts/mark.tsx';
import { Empty, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { useMe } from '../session/session-gate.tsx';
import { Time } from '../time/zone.tsx';
import { InvitationActions } from './invitation-actions.tsx';
import { INVITATION_STATES } from './invitation-states.ts';
import { InviteButton } from './invite-button.tsx';

const route = getRouteApi('/app/invitations');
const LIVE_MS = 10_000;

export function InvitationsPage() {
  const { customer = '', state, invite } = route.useSearch();
  const navigate = route.useNavigate();
  const { may } = useMe();
  const found = useQuery({
    queryKey: ['invitations'],
    queryFn: ({ signal }) => ask('GET /v1/invitations', { signal }),
    refetchInterval: LIVE_MS,
  });
  const rows = (found.data?.items ?? []).filter(
    (one) => one.customer.includes(customer) && (state === undefined || one.state === state),
  );
  return (
    <Page title="Invitations" actions={may.operate && <InviteButton customer={customer} isOpen={invite === 'new'} />}>
      <div className="filters">
        <label>
          Customer contains
          <input
            type="search"
            value={customer}
            onChange={({ currentTarget: { value } }) =>
              navigate({ search: (old) => ({ ...old, customer: value || undefined }), replace: true })
            }
          />
        </label>
        <label>
          State
          <select
            value={state ?? ''}
            onChange={({ currentTarget: { value } }) =>
              navigate({
                search: (old) => ({ ...old, state: value === '' ? undefined : (value as Invitation['state']) }),
              })
            }
          >
            <option value="">All</option>
            {Object.entries(INVITATION_STATES).map(([name, { word }]) => (
              <option key={name} value={name}>
                {word}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Pending query={found} what="invitations" />
      {found.data !== undefined && rows.length === 0 && <Empty>There is no such invitation.</Empty>}
      {rows.length > 0 && (
        <VirtualTable
          caption="Invitations"
          columns={may.operate ? [...COLUMNS, ACTIONS] : COLUMNS}
          rows={rows}
          keyOf={({ id }) => id}
        />
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<Invitation>[] = [
  {
    title: 'Customer',
    cell: ({ customer, kind, state }) =>
      kind === 'setup' && state !== 'used' ? (
        customer
      ) : (
        <Link to="/customers/$customer" params={{ customer }}>
          {customer}
        </Link>
      ),
  },
  { title: 'State', cell: ({ state }) => <Mark {...INVITATION_STATES[state]} /> },
  { title: 'For', cell: ({ kind, places }) => (kind === 'setup' ? 'its set-up' : places.join(', ')) },
  {
    title: 'Valid until',
    cell: ({ expiresAtMs, usedAtMs }) =>
      usedAtMs === undefined ? (
        <Time ms={expiresAtMs} isShort />
      ) : (
        <>
          answered <Time ms={usedAtMs} isShort />
        </>
      ),
  },
  { title: 'Wrong codes', isNumber: true, isExtra: true, cell: ({ failures }) => failures },
  { title: 'By', isExtra: true, cell: ({ by }) => by },
  { title: 'Made', isExtra: true, cell: ({ createdAtMs }) => <Time ms={createdAtMs} isShort /> },
];

const ACTIONS: Column<Invitation> = {
  title: 'Change',
  cell: (invitation) => <InvitationActions invitation={invitation} />,
};
