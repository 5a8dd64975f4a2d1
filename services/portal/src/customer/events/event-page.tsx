import type { ListedAttempt as Attempt } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ask } from '../../api/client.ts';
import { EventStateMark, OutcomeMark } from '../../parts/mark.tsx';
import { Pending } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { useMe } from '../../session/session-gate.tsx';
import { milliseconds } from '../../time/words.ts';
import { Time } from '../../time/zone.tsx';
import { EventContent } from './event-content.tsx';

const route = getRouteApi('/app/customers/$customer/events/$eventId');
const LIVE_MS = 10_000;

/** One event: its fate, and each attempt with its answer. */
export function EventPage() {
  const { customer, eventId } = route.useParams();
  const story = useQuery({
    queryKey: ['customer', customer, 'event', eventId],
    queryFn: ({ signal }) =>
      ask('GET /v1/subscriptions/{customer}/events/{id}', { params: { customer, id: eventId }, signal }),
    refetchInterval: LIVE_MS,
  });
  const { data } = story;
  const { may } = useMe();
  return (
    <Page
      title={`${customer}: event ${eventId}`}
      actions={may.payload && <EventContent customer={customer} id={eventId} of="event" />}
    >
      <Pending query={story} what="the event" />
      {data !== undefined && (
        <>
          <dl className="facts">
            <div>
              <dt>State</dt>
              <dd>
                <EventStateMark state={data.state} />
              </dd>
            </div>
            <div>
              <dt>First attempt</dt>
              <dd>
                <Time ms={data.firstAtMs} />
              </dd>
            </div>
            <div>
              <dt>Next attempt</dt>
              <dd>{data.nextDueMs === undefined ? 'none is planned' : <Time ms={data.nextDueMs} />}</dd>
            </div>
            {data.source !== undefined && (
              <div>
                <dt>Source record</dt>
                <dd className="id">{data.source}</dd>
              </div>
            )}
          </dl>
          <h2>Attempts, the newest first</h2>
          <ol className="timeline">
            {data.tries.map((attempt) => (
              <Try key={attempt.id} attempt={attempt} />
            ))}
          </ol>
        </>
      )}
    </Page>
  );
}

function Try({ attempt }: { readonly attempt: Attempt }) {
  const { at, outcome, durationMs, status, error, operatorDetail, answer, note, lane, replayId } = attempt;
  return (
    <li>
      <p>
        <OutcomeMark outcome={outcome} />
        {status !== undefined && `, HTTP ${status}`}, in {milliseconds(durationMs)}: <Time ms={at} />
      </p>
      <p className="quiet">
        Attempt {attempt.attempt} from lane {lane}
        {replayId !== undefined && `, of replay ${replayId}`}
      </p>
      {[error, operatorDetail, note].map((text) => text !== undefined && <p key={text}>{text}</p>)}
      {answer !== undefined && answer !== '' && (
        <details>
          <summary>The destination’s answer</summary>
          <pre>{answer}</pre>
        </details>
      )}
    </li>
  );
}
