import { useInfiniteQuery } from '@tanstack/react-query';
import { pagesQuery } from '../api/queries.ts';
import { AuditTable } from '../parts/audit-table.tsx';
import { Failure, Loading } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';

export function AuditPage() {
  const log = useInfiniteQuery(pagesQuery('GET /v1/audit', {}));
  const rows = log.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Audit">
      {log.error !== null && <Failure error={log.error} />}
      {log.isPending && <Loading what="the audit log" />}
      {rows.length > 0 && <AuditTable rows={rows} hasCustomer />}
      {log.hasNextPage && (
        <button type="button" onClick={() => log.fetchNextPage()} disabled={log.isFetchingNextPage}>
          Show older ones
        </button>
      )}
    </Page>
  );
}
