/** Every page and its address. Filters are part of the address, so that a link shows the same view. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
} from '@tanstack/react-router';
import { Frame } from './frame/frame.tsx';
import { INVITATION_STATES, type InvitationState } from './invitations/invitation-states.ts';
import { Failure } from './parts/notices.tsx';
import { DEAD_REASONS, EVENT_STATE_WORDS, type EventStateName, REPLAY_BY, type ReplayBy } from './parts/outcomes.ts';
import { Page } from './parts/page.tsx';
import { SessionGate, useMe } from './session/session-gate.tsx';

type Search = Readonly<Record<string, unknown>>;

/** Returns a known value of a parameter of the address, else undefined. */
const oneOf = <T extends string>(value: unknown, allowed: readonly T[]): T | undefined =>
  allowed.find((one) => one === value);
const text = (value: unknown) => (value === undefined || value === '' ? undefined : String(value));

/** The address of a page whose rows can be opened. */
const openRow = (search: Search): { open?: string | undefined } => ({ open: text(search['open']) });

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('./session/sign-in-page.tsx'), 'SignInPage'),
});

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: () => (
    <SessionGate>
      <Frame />
    </SessionGate>
  ),
});

const home = createRoute({ getParentRoute: () => app, path: '/', component: Home });

const fleet = createRoute({
  getParentRoute: () => app,
  path: '/fleet',
  validateSearch: (search: Search): { find?: string | undefined; only?: 'trouble' | undefined } => ({
    find: text(search['find']),
    only: oneOf(search['only'], ['trouble']),
  }),
  component: lazyRouteComponent(() => import('./operator/fleet-page.tsx'), 'FleetPage'),
});

const lookUp = createRoute({
  getParentRoute: () => app,
  path: '/events/$eventId',
  component: lazyRouteComponent(() => import('./operator/look-up-page.tsx'), 'LookUpPage'),
});

const customer = createRoute({
  getParentRoute: () => app,
  path: '/customers/$customer',
  component: lazyRouteComponent(() => import('./customer/customer-frame.tsx'), 'CustomerFrame'),
});

const overview = createRoute({
  getParentRoute: () => customer,
  path: '/',
  validateSearch: (search: Search): { hours?: '1' | '6' | undefined } => ({
    hours: oneOf(text(search['hours']), ['1', '6']),
  }),
  component: lazyRouteComponent(() => import('./customer/overview-page.tsx'), 'OverviewPage'),
});

const events = createRoute({
  getParentRoute: () => customer,
  path: '/events',
  validateSearch: (
    search: Search,
  ): { state?: EventStateName | undefined; from?: string | undefined; to?: string | undefined } => ({
    state: oneOf(search['state'], Object.keys(EVENT_STATE_WORDS) as EventStateName[]),
    from: text(search['from']),
    to: text(search['to']),
  }),
  component: lazyRouteComponent(() => import('./customer/events/events-page.tsx'), 'EventsPage'),
});

const event = createRoute({
  getParentRoute: () => customer,
  path: '/events/$eventId',
  component: lazyRouteComponent(() => import('./customer/events/event-page.tsx'), 'EventPage'),
});

const deadLetters = createRoute({
  getParentRoute: () => customer,
  path: '/dead-letters',
  validateSearch: (
    search: Search,
  ): { reason?: (typeof DEAD_REASONS)[number] | undefined; open?: string | undefined } => ({
    reason: oneOf(search['reason'], DEAD_REASONS),
    ...openRow(search),
  }),
  component: lazyRouteComponent(() => import('./customer/events/dead-letters-page.tsx'), 'DeadLettersPage'),
});

const replay = createRoute({
  getParentRoute: () => customer,
  path: '/replay',
  validateSearch: (
    search: Search,
  ): {
    by?: ReplayBy | undefined;
    time?: string | undefined;
    offset?: string | undefined;
    event?: string | undefined;
  } => ({
    by: oneOf(search['by'], REPLAY_BY),
    time: text(search['time']),
    offset: text(search['offset']),
    event: text(search['event']),
  }),
  component: lazyRouteComponent(() => import('./customer/replay-page.tsx'), 'ReplayPage'),
});

const filter = createRoute({
  getParentRoute: () => customer,
  path: '/filter',
  component: lazyRouteComponent(() => import('./customer/filter-page.tsx'), 'FilterPage'),
});

const setUp = createRoute({
  getParentRoute: () => customer,
  path: '/set-up',
  validateSearch: (search: Search): { as?: 'json' | undefined } => ({ as: oneOf(search['as'], ['json']) }),
  component: lazyRouteComponent(() => import('./set-up/set-up-page.tsx'), 'SetUpPage'),
});

const secrets = createRoute({
  getParentRoute: () => customer,
  path: '/secrets',
  component: lazyRouteComponent(() => import('./customer/secrets-page.tsx'), 'SecretsPage'),
});

const history = createRoute({
  getParentRoute: () => customer,
  path: '/history',
  validateSearch: openRow,
  component: lazyRouteComponent(() => import('./customer/history-page.tsx'), 'HistoryPage'),
});

const health = createRoute({
  getParentRoute: () => app,
  path: '/health',
  component: lazyRouteComponent(() => import('./operator/health-page.tsx'), 'HealthPage'),
});

const quarantine = createRoute({
  getParentRoute: () => app,
  path: '/quarantine',
  validateSearch: openRow,
  component: lazyRouteComponent(() => import('./operator/quarantine-page.tsx'), 'QuarantinePage'),
});

const invitations = createRoute({
  getParentRoute: () => app,
  path: '/invitations',
  validateSearch: (
    search: Search,
  ): { customer?: string | undefined; state?: InvitationState | undefined; invite?: 'new' | undefined } => ({
    customer: text(search['customer']),
    state: oneOf(search['state'], Object.keys(INVITATION_STATES) as InvitationState[]),
    invite: oneOf(search['invite'], ['new']),
  }),
  component: lazyRouteComponent(() => import('./invitations/invitations-page.tsx'), 'InvitationsPage'),
});

const approvals = createRoute({
  getParentRoute: () => app,
  path: '/approvals',
  component: lazyRouteComponent(() => import('./operator/approvals-page.tsx'), 'ApprovalsPage'),
});

const sessions = createRoute({
  getParentRoute: () => app,
  path: '/sessions',
  component: lazyRouteComponent(() => import('./session/sessions-page.tsx'), 'SessionsPage'),
});

const audit = createRoute({
  getParentRoute: () => app,
  path: '/audit',
  validateSearch: (search: Search): { customer?: string | undefined; open?: string | undefined } => ({
    customer: text(search['customer']),
    ...openRow(search),
  }),
  component: lazyRouteComponent(() => import('./operator/audit-page.tsx'), 'AuditPage'),
});

const eventTypes = createRoute({
  getParentRoute: () => app,
  path: '/event-types',
  component: lazyRouteComponent(() => import('./catalogue/event-types-page.tsx'), 'EventTypesPage'),
});

/** Operators and readers start with all customers, a customer with its own overview. */
function Home() {
  const me = useMe();
  if (me.may.oversee) return <Navigate to="/fleet" replace />;
  return <Navigate to="/customers/$customer" params={{ customer: me.customer ?? '' }} replace />;
}

function NotFound() {
  return (
    <main>
      <Page title="There is no such page">
        <p>
          <a href="/portal/">To the start page</a>
        </p>
      </Page>
    </main>
  );
}

export const router = createRouter({
  basepath: '/portal',
  routeTree: root.addChildren([
    signIn,
    app.addChildren([
      home,
      fleet,
      lookUp,
      health,
      quarantine,
      audit,
      invitations,
      approvals,
      sessions,
      eventTypes,
      customer.addChildren([overview, events, event, deadLetters, replay, filter, setUp, secrets, history]),
    ]),
  ]),
  defaultPreload: false,
  defaultErrorComponent: ({ error }) => <Failure error={error} />,
  trailingSlash: 'never',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
