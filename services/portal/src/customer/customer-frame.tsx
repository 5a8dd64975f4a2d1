import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { viewAs } from '../api/client.ts';
import { useMe } from '../session/session-gate.tsx';

const route = getRouteApi('/app/customers/$customer');

const TABS = [
  ['/customers/$customer', 'Overview'],
  ['/customers/$customer/events', 'Deliveries'],
  ['/customers/$customer/dead-letters', 'Dead letters'],
  ['/customers/$customer/replay', 'Replay'],
  ['/customers/$customer/filter', 'Filter'],
  ['/customers/$customer/set-up', 'Set-up'],
  ['/customers/$customer/secrets', 'Secrets'],
  ['/customers/$customer/history', 'History'],
] as const;

/** The frame around the pages of one customer. */
export function CustomerFrame() {
  const { customer } = route.useParams();
  const { may } = useMe();
  return (
    <>
      <nav aria-label={`Pages of ${customer}`} className="tabs">
        <strong>{customer}</strong>
        {TABS.map(([to, title]) => (
          <Link key={to} to={to} params={{ customer }} activeOptions={{ exact: to === '/customers/$customer' }}>
            {title}
          </Link>
        ))}
        {may.operate && (
          <button type="button" onClick={() => viewAs(customer)}>
            View as {customer}
          </button>
        )}
      </nav>
      <Outlet />
    </>
  );
}
