import { getRouteApi } from '@tanstack/react-router';
import { ask } from '../api/client.ts';
import { type Counted, CountedAction } from '../parts/counted-action.tsx';
import type { ReplayBy } from '../parts/outcomes.ts';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';
import { TimeField } from '../time/time-field.tsx';
import { absoluteTime } from '../time/words.ts';
import { useZone } from '../time/zone.tsx';
import { count } from './state-words.ts';

const route = getRouteApi('/app/customers/$customer/replay');

type Target = { readonly time: string } | { readonly offset: number } | 'earliest';
type Rewound = Readonly<Record<'again' | 'deleted' | 'waitingInRetry' | 'skipped', number>> & {
  readonly firstAtMs?: number;
  readonly lastAtMs?: number;
};

/** Delivers events again: by time, by offset, or one event. */
export function ReplayPage() {
  const { customer } = route.useParams();
  const { may } = useMe();
  return (
    <Page title={`${customer}: replay`}>
      {may.act ? (
        <>
          <Rewind customer={customer} />
          <Redeliver customer={customer} />
        </>
      ) : (
        <p>Your role may not replay events.</p>
      )}
    </Page>
  );
}

function Rewind({ customer }: { readonly customer: string }) {
  const { by = 'time', time, offset = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const set = (changed: { readonly by?: ReplayBy; readonly time?: string | undefined; readonly offset?: string }) =>
    navigate({ search: (old) => ({ ...old, ...changed }), replace: true });
  const { name: zone } = useZone();
  const to = targetOf(by, time, offset);
  const rewind = (dryRun: boolean) =>
    ask('POST /v1/subscriptions/{customer}/rewinds', { params: { customer }, body: { to: to ?? 'earliest', dryRun } });
  const counted = async (): Promise<Counted> => {
    const found = (await rewind(true)) as unknown as Rewound;
    const { again, firstAtMs, lastAtMs, deleted, waitingInRetry } = found;
    const range =
      firstAtMs === undefined || lastAtMs === undefined
        ? ''
        : `, from ${absoluteTime(firstAtMs, zone, undefined)} to ${absoluteTime(lastAtMs, zone, undefined)} (${zone})`;
    return {
      total: again,
      words: [
        `Exactly ${count(again, 'event')} would be delivered again${range}.`,
        ...(deleted > 0 ? [`${count(deleted, 'event')} before that are deleted already, and can't be.`] : []),
        ...(waitingInRetry > 0
          ? [`${count(waitingInRetry, 'event')} also wait to be retried: they may come twice.`]
          : []),
      ],
    };
  };
  return (
    <section aria-labelledby="rewind">
      <h2 id="rewind">Go back</h2>
      <p>Everything from there on is delivered again, in addition to what waits. Event ids stay the same.</p>
      <div className="filters">
        <label>
          Go back to
          <select value={by} onChange={({ currentTarget: { value } }) => set({ by: value as ReplayBy })}>
            <option value="time">a time</option>
            <option value="offset">an offset</option>
            <option value="earliest">the earliest event that is kept</option>
          </select>
        </label>
        {by === 'time' && <TimeField label="Time" value={time} onChange={(chosen) => set({ time: chosen })} />}
        {by === 'offset' && (
          <label>
            Offset
            <input
              type="number"
              min={0}
              value={offset}
              onChange={({ currentTarget: { value } }) => set({ offset: value })}
            />
          </label>
        )}
      </div>
      <CountedAction
        title="Deliver again"
        customer={customer}
        isDisabled={to === undefined}
        count={counted}
        run={() => rewind(false)}
        resultWords={(result) => `${count(Number(result['again'] ?? 0), 'event')} are delivered again.`}
      />
    </section>
  );
}

function targetOf(by: ReplayBy, time: string | undefined, offset: string): Target | undefined {
  if (by === 'earliest') return 'earliest';
  if (by === 'time') return time === undefined || Number.isNaN(Date.parse(time)) ? undefined : { time };
  return /^\d+$/.test(offset) ? { offset: Number(offset) } : undefined;
}

function Redeliver({ customer }: { readonly customer: string }) {
  const { event: eventId = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const setEventId = (event: string) =>
    navigate({ search: (old) => ({ ...old, event: event || undefined }), replace: true });
  const redeliver = (dryRun: boolean) =>
    ask('POST /v1/subscriptions/{customer}/redeliveries', { params: { customer }, body: { eventId, dryRun } });
  return (
    <section aria-labelledby="redeliver">
      <h2 id="redeliver">One event</h2>
      <div className="filters">
        <label>
          Event id
          <input value={eventId} onChange={({ currentTarget: { value } }) => setEventId(value.trim())} />
        </label>
      </div>
      <CountedAction
        title="Deliver the event again"
        customer={customer}
        isDisabled={eventId === ''}
        count={async () => {
          const { events } = (await redeliver(true)) as unknown as { readonly events: number };
          return { total: events, words: [`Exactly ${count(events, 'record')} of it would be delivered again.`] };
        }}
        run={() => redeliver(false)}
        resultWords={(result) => `${count(Number(result['events'] ?? 0), 'record')} are delivered again.`}
      />
    </section>
  );
}
