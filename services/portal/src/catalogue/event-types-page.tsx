import type { EventTypeDescription } from '@databridge/schemas/api/types';
import { useQueries, useQuery } from '@tanstack/react-query';
import { ask } from '../api/client.ts';
import { Failure, Loading } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';

/** The event types and their schemas, for developers of receivers. */
export function EventTypesPage() {
  const { may } = useMe();
  const listed = useQuery({
    queryKey: ['event-types'],
    queryFn: ({ signal }) => ask('GET /v1/event-types', { signal }),
  });
  const described = useQueries({
    queries: (listed.data?.eventTypes ?? []).map(({ name }) => ({
      queryKey: ['event-type', name],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        ask('GET /v1/event-types/{name}', { params: { name }, signal }),
    })),
  });
  const error = listed.error ?? described.find((one) => one.error !== null)?.error;
  return (
    <Page title="Event types">
      {error != null && <Failure error={error} />}
      {listed.isPending && <Loading what="the event types" />}
      {described.map(({ data }) => data !== undefined && <EventTypeSection key={data.name} eventType={data} />)}
      <p>
        All requests to a receiving end are in the <a href="/v1/openapi.json">OpenAPI document</a>
        {may.oversee && (
          <>
            ; the topics that producers write to are in the <a href="/v1/asyncapi.json">AsyncAPI document</a>
          </>
        )}
        .
      </p>
    </Page>
  );
}

function EventTypeSection({ eventType }: { readonly eventType: EventTypeDescription }) {
  const { name, schemaVersion, description, sections, sample } = eventType;
  const address = `/v1/event-types/${encodeURIComponent(name)}`;
  return (
    <section aria-labelledby={`type-${name}`}>
      <h2 id={`type-${name}`}>
        {name} <span className="quiet">{schemaVersion}</span>
      </h2>
      <p>{description}</p>
      {sections.length > 0 && <p>Sections, each of them optional: {sections.join(', ')}.</p>}
      <p>
        <a href={`${address}/page`}>Fields of {name}</a>, <a href={address}>JSON Schema of {name}</a>
      </p>
      <details>
        <summary>Sample of {name}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre tabIndex={0}>{JSON.stringify(sample, null, 2)}</pre>
      </details>
    </section>
  );
}
