/** Sessions of the portal: a user's own ones; for operators, all. */
import { useQuery } from '@tanstack/react-query';
import { type AnswerOf, ask } from '../api/client.ts';
import { ConfirmedAction } from '../parts/confirmed-action.tsx';
import { Empty, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { Time } from '../time/zone.tsx';

type Session = AnswerOf<'GET /v1/sessions'>['items'][number];

export function SessionsPage() {
  const sessions = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => ask('GET /v1/sessions', { signal }),
  });
  return (
    <Page title="Sessions">
      <Pending query={sessions} what="sessions" />
      {sessions.data?.items.length === 0 && <Empty>There is no session.</Empty>}
      {sessions.data !== undefined && sessions.data.items.length > 0 && (
        <VirtualTable caption="Sessions" columns={COLUMNS} rows={sessions.data.items} keyOf={({ id }) => id} />
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<Session>[] = [
  { title: 'Who', cell: ({ name, role, isCurrent }) => `${name} (${role})${isCurrent ? ', this session' : ''}` },
  { title: 'Customer', isExtra: true, cell: ({ customer }) => customer ?? '–' },
  { title: 'Signed in by', isExtra: true, cell: ({ by }) => (by === 'oidc' ? 'its organization' : 'a token') },
  { title: 'Began', cell: ({ createdAtMs }) => <Time ms={createdAtMs} isShort /> },
  { title: 'Ends', cell: ({ expiresAtMs }) => <Time ms={expiresAtMs} isShort /> },
  { title: 'Change', cell: (session) => <Revoke session={session} /> },
];

function Revoke({ session: { id, name, isCurrent } }: { readonly session: Session }) {
  return (
    <ConfirmedAction
      title="Revoke"
      heading={`Revoke a session of ${name}`}
      isDanger
      run={() => ask('DELETE /v1/sessions/{id}', { params: { id } })}
    >
      <p>
        {isCurrent
          ? 'It is the one that you are in: you sign in again.'
          : 'The person who uses it has to sign in again.'}
      </p>
    </ConfirmedAction>
  );
}
