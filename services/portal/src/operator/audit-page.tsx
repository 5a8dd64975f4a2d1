import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { pagesQuery } from '../api/queries.ts';
import { AuditTable } from '../parts/audit-table.tsx';
import { Empty, NextPage, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';

const route = getRouteApi('/app/audit');
const isName = (text: string) => /^[a-z0-9-]{1,63}$/.test(text);

export function AuditPage() {
  const { customer = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const log = useInfiniteQuery(pagesQuery('GET /v1/audit', {}, isName(customer) ? { customer } : {}));
  const rows = log.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Audit">
      <div className="filters">
        <label>
          Customer
          <input
            type="search"
            value={customer}
            onChange={({ currentTarget: { value } }) =>
              navigate({ search: (old) => ({ ...old, customer: value || undefined }), replace: true })
            }
          />
        </label>
      </div>
      <Pending query={log} what="the audit log" />
      {log.data !== undefined && rows.length === 0 && <Empty>Nothing was changed.</Empty>}
      {rows.length > 0 && <AuditTable rows={rows} hasCustomer />}
      <NextPage query={log} which="older" />
    </Page>
  );
}
