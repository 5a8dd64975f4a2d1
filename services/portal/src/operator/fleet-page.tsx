import type { Status } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useDeferredValue, useMemo, useState } from 'react';
import { fleetQuery } from '../api/queries.ts';
import { count, SHAPES, type StateWords, stateWords, waitingIn } from '../customer/state-words.ts';
import { Mark } from '../parts/mark.tsx';
import { Empty, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { lengthOf } from '../time/words.ts';
import { Time, useNow } from '../time/zone.tsx';

const route = getRouteApi('/app/fleet');

interface FleetRow {
  readonly status: Status;
  readonly words: StateWords;
  readonly nowMs: number;
}

/** Lists all customers, the most urgent first. */
export function FleetPage() {
  const { find = '', only } = route.useSearch();
  const navigate = route.useNavigate();
  const fleet = useQuery(fleetQuery());
  const nowMs = useNow(10_000);
  const wanted = useDeferredValue(find.toLowerCase());
  const fresh = useMemo(() => sorted(fleet.data ?? [], nowMs), [fleet.data, nowMs]);
  const { rows, hasMoved, sortAnew } = useSteadyOrder(fresh);
  const shown = rows.filter(
    ({ status, words }) => status.customer.includes(wanted) && (only !== 'trouble' || words.urgency >= 40),
  );
  const troubled = rows.filter(({ words }) => words.urgency >= 40).length;
  return (
    <Page title="Customers">
      <div className="filters">
        <label>
          Name contains
          <input
            type="search"
            value={find}
            onChange={({ currentTarget: { value } }) =>
              navigate({ search: (old) => ({ ...old, find: value || undefined }), replace: true })
            }
          />
        </label>
        <label className="check">
          <input
            type="checkbox"
            checked={only === 'trouble'}
            onChange={({ currentTarget: { checked } }) =>
              navigate({ search: (old) => ({ ...old, only: checked ? ('trouble' as const) : undefined }) })
            }
          />
          Only those that need help
        </label>
      </div>
      {hasMoved && (
        <p role="status">
          <button type="button" onClick={sortAnew}>
            The order has changed: sort again
          </button>
        </p>
      )}
      <Pending query={fleet} what="customers" />
      {fleet.data !== undefined && (
        <>
          <p role="status">
            {count(rows.length, 'customer')},{' '}
            {troubled === 0 ? 'none needs' : `${troubled} ${troubled === 1 ? 'needs' : 'need'}`} help;{' '}
            {shown.length.toLocaleString('en')} shown.
          </p>
          {shown.length === 0 ? (
            <Empty>No customer matches.</Empty>
          ) : (
            <VirtualTable caption="Customers" columns={COLUMNS} rows={shown} keyOf={({ status }) => status.customer} />
          )}
        </>
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<FleetRow>[] = [
  {
    title: 'Customer',
    cell: ({ status: { customer } }) => (
      <Link to="/customers/$customer" params={{ customer }}>
        {customer}
      </Link>
    ),
  },
  {
    title: 'State',
    cell: ({ words }) => (
      <span title={words.sentence}>
        <Mark shape={SHAPES[words.tone]} word={words.short} tone={words.tone} />
      </span>
    ),
  },
  { title: 'Waiting', isNumber: true, cell: ({ status }) => waitingIn(status).toLocaleString('en') },
  {
    title: 'Oldest failing',
    isExtra: true,
    cell: ({ status: { oldestWaiting } }) =>
      oldestWaiting === undefined ? '–' : <Time ms={oldestWaiting.firstAtMs} isShort />,
  },
  {
    title: 'Disabled in',
    isNumber: true,
    cell: ({ status: { disablesAtMs }, nowMs }) => (disablesAtMs === undefined ? '–' : lengthOf(disablesAtMs - nowMs)),
  },
  {
    title: 'Dead letters',
    isNumber: true,
    isExtra: true,
    cell: ({ status }) => status.deadRecords.toLocaleString('en'),
  },
  {
    title: 'Last success',
    isExtra: true,
    cell: ({ status: { lastSuccessAtMs } }) =>
      lastSuccessAtMs === undefined ? 'never' : <Time ms={lastSuccessAtMs} isShort />,
  },
];

/** Values change in place, but the order only on request: rows that move while they are read would be unreadable. */
function useSteadyOrder(fresh: readonly FleetRow[]) {
  const [order, setOrder] = useState<ReadonlyMap<string, number>>(new Map());
  const nameOf = ({ status }: FleetRow) => status.customer;
  const sortAnew = () => setOrder(new Map(fresh.map((row, index) => [nameOf(row), index])));
  if (order.size === 0 && fresh.length > 0) sortAnew();
  const placeOf = (row: FleetRow) => order.get(nameOf(row)) ?? order.size;
  const rows = fresh.toSorted((a, b) => placeOf(a) - placeOf(b));
  return { rows, hasMoved: rows.some((row, index) => row !== fresh[index]), sortAnew };
}

/** Sorts by urgency, then by the number of waiting events, then by name. */
export function sorted(fleet: readonly Status[], nowMs: number): FleetRow[] {
  return fleet
    .map((status) => ({ status, words: stateWords(status, nowMs), nowMs }))
    .sort(
      (a, b) =>
        b.words.urgency - a.words.urgency ||
        waitingIn(b.status) - waitingIn(a.status) ||
        (a.status.customer < b.status.customer ? -1 : 1),
    );
}
