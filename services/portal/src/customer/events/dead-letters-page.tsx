import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { AnswerOf } from '../../api/client.ts';
import { pagesQuery } from '../../api/queries.ts';
import { LetterActions } from '../../parts/letter-actions.tsx';
import { Empty, NextPage, Pending } from '../../parts/notices.tsx';
import { OpenRow } from '../../parts/open-row.tsx';
import { DEAD_REASONS } from '../../parts/outcomes.ts';
import { Page } from '../../parts/page.tsx';
import { type Column, VirtualTable } from '../../parts/virtual-table.tsx';
import { useMe } from '../../session/session-gate.tsx';
import { Time } from '../../time/zone.tsx';
import { count } from '../state-words.ts';
import { EventContent } from './event-content.tsx';

const route = getRouteApi('/app/customers/$customer/dead-letters');

type Letter = AnswerOf<'GET /v1/subscriptions/{customer}/dead-letters'>['items'][number];

export function DeadLettersPage() {
  const { customer } = route.useParams();
  const { reason } = route.useSearch();
  const navigate = route.useNavigate();
  const { may } = useMe();
  const letters = useInfiniteQuery(
    pagesQuery('GET /v1/subscriptions/{customer}/dead-letters', { customer }, { reason, order: 'newest' }),
  );
  const rows = letters.data?.pages.flatMap(({ items }) => items) ?? [];
  const totals = letters.data?.pages[0]?.byReason ?? {};
  const total = Object.values(totals).reduce((sum, one) => sum + one, 0);
  const columns = [...COLUMNS, { title: 'More', cell: (one: Letter) => <More customer={customer} letter={one} /> }];
  return (
    <Page
      title={`${customer}: dead letters`}
      actions={may.act && <LetterActions customer={customer} reason={reason} />}
    >
      <div className="filters">
        <label>
          Reason
          <select
            value={reason ?? ''}
            onChange={({ currentTarget: { value } }) =>
              navigate({ search: { reason: DEAD_REASONS.find((one) => one === value) } })
            }
          >
            <option value="">All</option>
            {DEAD_REASONS.map((one) => (
              <option key={one} value={one}>
                {one} ({(totals[one] ?? 0).toLocaleString('en')})
              </option>
            ))}
          </select>
        </label>
      </div>
      <Pending query={letters} what="dead letters" />
      {letters.data !== undefined && (
        <p role="status">{total === 0 ? 'There is no dead letter.' : `${count(total, 'dead letter')} in all.`}</p>
      )}
      {letters.data !== undefined && rows.length === 0 && total > 0 && <Empty>None has that reason.</Empty>}
      {rows.length > 0 && <VirtualTable caption="Dead letters" columns={columns} rows={rows} keyOf={({ id }) => id} />}
      <NextPage query={letters} which="older" />
    </Page>
  );
}

const COLUMNS: readonly Column<Letter>[] = [
  { title: 'Event', cell: ({ eventId }) => <span className="id">{eventId}</span> },
  { title: 'Reason', cell: ({ reason }) => reason },
  { title: 'Detail', isExtra: true, cell: ({ detail }) => detail ?? '–' },
  { title: 'Attempts', isNumber: true, cell: ({ attempts }) => attempts },
  { title: 'Since', cell: ({ at }) => <Time ms={at} isShort /> },
];

interface MoreProps {
  readonly customer: string;
  readonly letter: Letter;
}

function More({ customer, letter: { id, eventId } }: MoreProps) {
  const { may } = useMe();
  return (
    <OpenRow id={id}>
      <div className="actions">
        <Link to="/customers/$customer/events/$eventId" params={{ customer, eventId }}>
          Its attempts
        </Link>
        {may.payload && <EventContent customer={customer} id={id} of="letter" />}
        {may.act && <LetterActions customer={customer} ids={[id]} />}
      </div>
    </OpenRow>
  );
}
