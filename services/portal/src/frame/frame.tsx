import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useRef } from 'react';
import { ask, viewAs, viewedCustomer } from '../api/client.ts';
import { useMe } from '../session/session-gate.tsx';
import { useZone, zones } from '../time/zone.tsx';
import { Shortcuts } from './shortcuts.tsx';

/** The frame around every page. */
export function Frame() {
  const viewed = viewedCustomer();
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/" className="brand">
          Databridge Events
        </Link>
        <Navigation />
        <LookUp />
        <ZoneChoice />
        <Who />
      </header>
      {viewed !== undefined && (
        <p className="view">
          You see what {viewed} sees.{' '}
          <button type="button" onClick={() => viewAs(undefined)}>
            Back to your own view
          </button>
        </p>
      )}
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}

function Navigation() {
  const { may, customer } = useMe();
  return (
    <nav aria-label="Main">
      {may.oversee ? (
        <>
          <Link to="/fleet">Customers</Link>
          <Link to="/invitations">Invitations</Link>
          <Link to="/approvals">Approvals</Link>
          <Link to="/health">Health</Link>
          <Link to="/quarantine">Quarantine</Link>
          <Link to="/audit">Audit</Link>
        </>
      ) : (
        customer !== undefined && (
          <Link to="/customers/$customer" params={{ customer }}>
            {customer}
          </Link>
        )
      )}
      <Link to="/event-types">Event types</Link>
    </nav>
  );
}

/** Looks up an event by its id: operators and readers search all customers, a customer its own events. */
function LookUp() {
  const { may, customer } = useMe();
  const field = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const eventId = String(new FormData(event.currentTarget).get('event')).trim();
    if (eventId === '') return;
    if (may.oversee) void navigate({ to: '/events/$eventId', params: { eventId } });
    else if (customer !== undefined)
      void navigate({ to: '/customers/$customer/events/$eventId', params: { customer, eventId } });
    field.current?.blur();
  };
  return (
    <search>
      <form onSubmit={submit}>
        <input
          ref={field}
          type="search"
          className="look-up"
          name="event"
          aria-label="Find an event by its id"
          placeholder="Event id"
          aria-keyshortcuts="/"
        />
      </form>
      <Shortcuts focusSearch={() => field.current?.focus()} />
    </search>
  );
}

function ZoneChoice() {
  const { name, choose } = useZone();
  return (
    <label className="zone">
      <span className="hidden">Time zone</span>
      <select value={name} onChange={(event) => choose(event.currentTarget.value)}>
        {zones().map((zone) => (
          <option key={zone}>{zone}</option>
        ))}
      </select>
    </label>
  );
}

function Who() {
  const { name, role, session } = useMe();
  const signOut = async () => {
    if (session !== undefined) await ask('DELETE /v1/sessions/{id}', { params: { id: session.id } });
    location.assign('/portal/');
  };
  return (
    <div className="who">
      <Link to="/sessions">
        {name} <span className="quiet">({role})</span>
      </Link>
      <button type="button" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}
