import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { pagesQuery } from '../api/queries.ts';
import { AuditTable } from '../parts/audit-table.tsx';
import { Empty, NextPage, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';

const route = getRouteApi('/app/customers/$customer/history');

/** The audit log of one customer. */
export function HistoryPage() {
  const { customer } = route.useParams();
  const log = useInfiniteQuery(pagesQuery('GET /v1/subscriptions/{customer}/audit', { customer }));
  const rows = log.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title={`${customer}: history`}>
      <Pending query={log} what="the history" />
      {log.data !== undefined && rows.length === 0 && <Empty>Nothing was changed.</Empty>}
      {rows.length > 0 && <AuditTable rows={rows} hasCustomer={false} />}
      <NextPage query={log} which="older" />
    </Page>
  );
}
