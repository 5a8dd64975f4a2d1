import type { EventFate } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ask } from '../api/client.ts';
import { EventStateMark } from '../parts/mark.tsx';
import { Empty, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { Time } from '../time/zone.tsx';

const route = getRouteApi('/app/events/$eventId');

/** Shows one event for all customers. */
export function LookUpPage() {
  const { eventId } = route.useParams();
  const found = useQuery({
    queryKey: ['events', eventId],
    queryFn: ({ signal }) => ask('GET /v1/events/{id}', { params: { id: eventId }, signal }),
  });
  return (
    <Page title={`Event ${eventId}`}>
      <Pending query={found} what="the event" />
      {found.data?.items.length === 0 && (
        <Empty>No attempt at it was made in the last days: check the id, and whether a subscription matches it.</Empty>
      )}
      {found.data !== undefined && found.data.items.length > 0 && (
        <VirtualTable
          caption="Customers that it was sent to"
          columns={COLUMNS}
          rows={found.data.items}
          keyOf={({ customer }) => customer}
        />
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<EventFate>[] = [
  {
    title: 'Customer',
    cell: ({ customer, eventId }) => (
      <Link to="/customers/$customer/events/$eventId" params={{ customer, eventId }}>
        {customer}
      </Link>
    ),
  },
  { title: 'State', cell: ({ state }) => <EventStateMark state={state} /> },
  { title: 'Attempts', isNumber: true, cell: ({ attempts }) => attempts },
  { title: 'Last attempt', cell: ({ lastAtMs }) => <Time ms={lastAtMs} isShort /> },
];
