import { getRouteApi, Link, Outlet } from '@tanstack/react-router';

const route = getRouteApi('/app/customers/$customer');

const TABS = [
  ['/customers/$customer', 'Overview'],
  ['/customers/$customer/events', 'Deliveries'],
] as const;

/** What stands around the pages of one customer. */
export function CustomerFrame() {
  const { customer } = route.useParams();
  return (
    <>
      <nav aria-label={`Pages of ${customer}`} className="tabs">
        <strong>{customer}</strong>
        {TABS.map(([to, title]) => (
          <Link key={to} to={to} params={{ customer }} activeOptions={{ exact: to === '/customers/$customer' }}>
            {title}
          </Link>
        ))}
      </nav>
      <Outlet />
    </>
  );
}
