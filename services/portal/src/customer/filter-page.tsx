import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { ask } from '../api/client.ts';
import { Failure, Loading } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';

const route = getRouteApi('/app/customers/$customer/filter');

/** Whether a filter would let an event through, before it belongs to a subscription. Nothing is kept or sent. */
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
          eventType={eventType}
          filter={String(subscription.data?.['filter'] ?? '')}
          sample={JSON.stringify(described.data.sample, null, 2)}
        />
      )}
    </Page>
  );
}

interface TrialProps {
  readonly eventType: string;
  readonly filter: string;
  readonly sample: string;
}

function Trial({ eventType, filter: stored, sample }: TrialProps) {
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
