import type { EventFate } from '@databridge/schemas/api/types';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { pagesQuery } from '../../api/queries.ts';
import { EventStateMark, OutcomeMark } from '../../parts/mark.tsx';
import { Empty, NextPage, Pending } from '../../parts/notices.tsx';
import { EVENT_STATE_WORDS, type EventStateName } from '../../parts/outcomes.ts';
import { Page } from '../../parts/page.tsx';
import { type Column, VirtualTable } from '../../parts/virtual-table.tsx';
import { TimeField } from '../../time/time-field.tsx';
import { Time } from '../../time/zone.tsx';
import { count } from '../state-words.ts';
import { useLiveCount } from '../use-live-count.ts';

const route = getRouteApi('/app/customers/$customer/events');

/** Deliveries by event, the latest attempt first. New attempts are shown on request only. */
export function EventsPage() {
  const { customer } = route.useParams();
  const { state, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const options = pagesQuery('GET /v1/subscriptions/{customer}/events', { customer }, { state, from, to });
  const events = useInfiniteQuery(options);
  const live = useLiveCount(customer);
  const choose = (changed: Partial<ReturnType<typeof route.useSearch>>) =>
    navigate({ search: (old) => ({ ...old, ...changed }), replace: true });
  const rows = events.data?.pages.flatMap(({ items }) => items) ?? [];
  const showNew = () => {
    live.reset();
    void queries.resetQueries({ queryKey: options.queryKey });
  };
  return (
    <Page title={`${customer}: deliveries`}>
      <div className="filters">
        <label>
          State
          <select
            value={state ?? ''}
            onChange={({ currentTarget: { value } }) =>
              choose({ state: value === '' ? undefined : (value as EventStateName) })
            }
          >
            <option value="">All</option>
            {Object.entries(EVENT_STATE_WORDS).map(([name, { word }]) => (
              <option key={name} value={name}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <TimeField label="Latest attempt from" value={from} onChange={(time) => choose({ from: time })} />
        <TimeField label="Latest attempt before" value={to} onChange={(time) => choose({ to: time })} />
        <p role="status">
          {live.count > 0 && (
            <button type="button" onClick={showNew}>
              Show {count(live.count, 'new attempt')}
            </button>
          )}
        </p>
      </div>
      <Pending query={events} what="deliveries" />
      {events.data !== undefined && rows.length === 0 && <Empty>{emptyWords(state, from ?? to)}</Empty>}
      {rows.length > 0 && (
        <VirtualTable
          caption={`Deliveries of ${customer}`}
          columns={COLUMNS}
          rows={rows}
          keyOf={(row) => row.eventId}
        />
      )}
      <NextPage query={events} which="older" />
    </Page>
  );
}

function emptyWords(state: EventStateName | undefined, range: string | undefined): string {
  if (range !== undefined) return 'No such event was last tried in that range.';
  return state === undefined ? 'No event was tried in the last days.' : 'No event is in that state.';
}

const COLUMNS: readonly Column<EventFate>[] = [
  {
    title: 'Event',
    cell: ({ customer, eventId }) => (
      <Link to="/customers/$customer/events/$eventId" params={{ customer, eventId }} className="id">
        {eventId}
      </Link>
    ),
  },
  { title: 'State', cell: ({ state }) => <EventStateMark state={state} /> },
  { title: 'Attempts', isNumber: true, cell: ({ attempts }) => attempts },
  {
    title: 'Last attempt',
    cell: ({ lastAtMs }) => <Time ms={lastAtMs} isShort />,
  },
  {
    title: 'Outcome',
    isExtra: true,
    cell: ({ lastOutcome, lastStatus }) => (
      <>
        <OutcomeMark outcome={lastOutcome} /> {lastStatus}
      </>
    ),
  },
  {
    title: 'Next attempt',
    isExtra: true,
    cell: ({ nextDueMs }) => (nextDueMs === undefined ? '–' : <Time ms={nextDueMs} isShort />),
  },
];
