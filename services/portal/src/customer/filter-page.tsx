import type { RecentTrial } from '@databridge/schemas/api/types';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { ask } from '../api/client.ts';
import { Failure, Loading } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';
import { Time } from '../time/zone.tsx';
import { count } from './state-words.ts';

const route = getRouteApi('/app/customers/$customer/filter');

/** Tests whether a filter would accept an event, before it belongs to a subscription. Nothing is stored or sent. */
export function FilterPage() {
  const { customer } = route.useParams();
  const subscription = useQuery({
    queryKey: ['customer', customer, 'filter'],
    queryFn: ({ signal }) => ask('GET /v1/subscriptions/{customer}', { params: { customer }, signal }),
  });
  const eventTypes = subscription.data?.['eventTypes'];
  const eventType = Array.isArray(eventTypes) ? String(eventTypes[0]) : undefined;
  const described = useQuery({
    queryKey: ['event-type', eventType],
    queryFn: ({ signal }) => ask('GET /v1/event-types/{name}', { params: { name: eventType ?? '' }, signal }),
    enabled: eventType !== undefined,
  });
  return (
    <Page title={`${customer}: try a filter`}>
      {subscription.error !== null && <Failure error={subscription.error} />}
      {described.error !== null && <Failure error={described.error} />}
      {described.data === undefined || eventType === undefined ? (
        <Loading what="a sample event" />
      ) : (
        <Trial
          customer={customer}
          eventType={eventType}
          filter={String(subscription.data?.['filter'] ?? '')}
          sample={JSON.stringify(described.data.sample, null, 2)}
        />
      )}
    </Page>
  );
}

interface TrialProps {
  readonly customer: string;
  readonly eventType: string;
  readonly filter: string;
  readonly sample: string;
}

function Trial({ customer, eventType, filter: stored, sample }: TrialProps) {
  const { may } = useMe();
  const [filter, setFilter] = useState(stored);
  const [event, setEvent] = useState(sample);
  const trial = useMutation({
    mutationFn: async () =>
      ask('POST /v1/filters/try', {
        body: { filter, event: JSON.parse(event) as Readonly<Record<string, unknown>>, eventType },
      }),
  });
  const submit = (submitted: SubmitEvent<HTMLFormElement>) => {
    submitted.preventDefault();
    trial.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <label htmlFor="filter">Filter</label>
      <textarea
        id="filter"
        rows={3}
        required
        spellCheck={false}
        value={filter}
        onChange={({ currentTarget: { value } }) => setFilter(value)}
      />
      {may.payload && <Recent customer={customer} filter={filter} />}
      <label htmlFor="event">Event, of type {eventType}; this one is made up</label>
      <textarea
        id="event"
        rows={16}
        spellCheck={false}
        value={event}
        onChange={({ currentTarget: { value } }) => setEvent(value)}
      />
      <button type="submit" className="primary" disabled={trial.isPending}>
        Try it
      </button>
      <div role="status">
        {trial.error !== null && <Failure error={trial.error} />}
        {trial.data !== undefined && (
          <p>
            {trial.data.matches ? '● It passes: the customer would get the event.' : '○ It does not pass.'}{' '}
            {trial.data.lacks !== undefined && `The event has no ${trial.data.lacks}.`} {trial.data.error}
          </p>
        )}
      </div>
    </form>
  );
}

/** Tells how many of the customer's recent events the filter would accept. */
function Recent({ customer, filter }: { readonly customer: string; readonly filter: string }) {
  const recent = useMutation({
    mutationFn: () => ask('POST /v1/subscriptions/{customer}/filters/try', { params: { customer }, body: { filter } }),
  });
  return (
    <>
      <button type="button" disabled={filter === '' || recent.isPending} onClick={() => recent.mutate()}>
        {recent.isPending ? 'Trying…' : 'Try it on recent events (audited)'}
      </button>
      <div role="status">
        {recent.error !== null && <Failure error={recent.error} />}
        {recent.data !== undefined && <RecentWords recent={recent.data} />}
      </div>
    </>
  );
}

function RecentWords({
  recent: { tried, passed, failed, unreadable, fromMs, toMs },
}: {
  readonly recent: RecentTrial;
}) {
  if (tried === 0) return <p>There is no recent event to try it on.</p>;
  return (
    <>
      <p>
        It would pass {passed.toLocaleString('en')} of {count(tried, 'recent event')}
        {fromMs !== undefined && toMs !== undefined && (
          <>
            , from <Time ms={fromMs} /> to <Time ms={toMs} />
          </>
        )}
        .
      </p>
      {failed > 0 && <p>On {count(failed, 'event')} of them it could not be evaluated: those pass.</p>}
      {unreadable > 0 && <p>{count(unreadable, 'event')} could not be decoded, and were left out.</p>}
    </>
  );
}
