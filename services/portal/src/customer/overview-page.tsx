import type { Status } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { seriesQuery, statusQuery } from '../api/queries.ts';
import { Failure, Loading, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';
import { lengthOf } from '../time/words.ts';
import { Time, useNow } from '../time/zone.tsx';
import { Books } from './books.tsx';
import { StateActions } from './state-actions.tsx';
import { burnt, count, SHAPES, stateWords, waitingIn } from './state-words.ts';
import { TestButton } from './test-button.tsx';

const route = getRouteApi('/app/customers/$customer');
const OutcomeChart = lazy(() => import('../parts/outcome-chart.tsx'));

/** Answers "Is my API getting its events?" in one sentence, with the facts behind it. */
export function OverviewPage() {
  const { customer } = route.useParams();
  const { may } = useMe();
  const status = useQuery(statusQuery(customer));
  return (
    <Page
      title={`${customer}: overview`}
      actions={
        may.act && (
          <>
            {status.data !== undefined && <StateActions status={status.data} />}
            <TestButton customer={customer} />
          </>
        )
      }
    >
      <Pending query={status} what="the state" />
      {status.data !== undefined && <Overview status={status.data} />}
      <Chart customer={customer} />
      <Books customer={customer} />
    </Page>
  );
}

function Overview({ status }: { readonly status: Status }) {
  const nowMs = useNow();
  const { tone, sentence } = stateWords(status, nowMs);
  const { customer, oldestWaiting, budget, deadRecords, attempts } = status;
  const burn = burnt(status, nowMs);
  return (
    <>
      <p className={`state ${tone}`} role="status">
        <span aria-hidden="true">{SHAPES[tone]}</span> {sentence}
      </p>
      {status.invalidFilter !== undefined && (
        <p className="notice warning">The filter {status.invalidFilter}: it is not used until it is mended.</p>
      )}
      <dl className="facts">
        <Fact name="Last success">
          {status.lastSuccessAtMs === undefined ? 'never' : <Time ms={status.lastSuccessAtMs} />}
        </Fact>
        <Fact name="Waiting">{count(waitingIn(status), 'event')}</Fact>
        <Fact name="Oldest failing event">
          {oldestWaiting === undefined ? (
            'none'
          ) : (
            <>
              <Link
                to="/customers/$customer/events/$eventId"
                params={{ customer, eventId: oldestWaiting.eventId }}
                className="id"
              >
                {oldestWaiting.eventId}
              </Link>
              , since <Time ms={oldestWaiting.firstAtMs} />
            </>
          )}
        </Fact>
        <Fact name="Dead letters">at most {deadRecords.toLocaleString('en')}</Fact>
        <Fact name="Attempts in 24 h">
          {Object.values(attempts)
            .reduce((sum, one) => sum + one, 0)
            .toLocaleString('en')}
          , {(attempts['delivered'] ?? 0).toLocaleString('en')} delivered
        </Fact>
      </dl>
      {burn !== undefined && oldestWaiting !== undefined && (
        <section aria-labelledby="budget">
          <h2 id="budget">Budget of the oldest failing event</h2>
          <Meter share={burn.attempts} words={`${oldestWaiting.attempts} of ${budget.maxAttempts} attempts`} />
          <Meter
            share={burn.time}
            words={`${lengthOf(nowMs - oldestWaiting.firstAtMs)} of ${lengthOf(budget.windowMs)}`}
          />
        </section>
      )}
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Meter({ share, words }: { readonly share: number; readonly words: string }) {
  return (
    <p className="burn">
      <meter aria-label={words} min={0} max={1} high={0.75} low={0.5} optimum={0} value={share} />
      <span>{words}</span>
    </p>
  );
}

const MINUTE_MS = 60_000;
/** The chart's step in ms, by its range in hours. */
const STEPS = { 1: MINUTE_MS, 6: 5 * MINUTE_MS, 24: 15 * MINUTE_MS } as const;

function Chart({ customer }: { readonly customer: string }) {
  const { hours = '24' } = useSearch({ from: '/app/customers/$customer/' });
  const navigate = useNavigate({ from: '/customers/$customer/' });
  const series = useQuery(seriesQuery(customer, STEPS[Number(hours) as keyof typeof STEPS]));
  const nowMs = useNow(60_000);
  const fromMs = nowMs - Number(hours) * 3_600_000;
  const items = (series.data?.items ?? []).filter(({ atMs }) => atMs >= fromMs);
  const total = items.some(({ outcomes }) => Object.keys(outcomes).length > 0);
  return (
    <section aria-labelledby="last-day">
      <h2 id="last-day">Attempts by outcome</h2>
      <div className="filters">
        <label>
          Range
          <select
            value={hours}
            onChange={({ currentTarget: { value } }) =>
              navigate({ search: { hours: value === '24' ? undefined : (value as '1' | '6') }, replace: true })
            }
          >
            <option value="1">The last hour</option>
            <option value="6">The last 6 hours</option>
            <option value="24">The last 24 hours</option>
          </select>
        </label>
      </div>
      {series.error !== null && <Failure error={series.error} />}
      {series.data !== undefined && total !== true && <p className="quiet">No attempt was made.</p>}
      {series.data !== undefined && total === true && (
        <Suspense fallback={<Loading what="the chart" />}>
          <OutcomeChart series={{ ...series.data, items }} />
        </Suspense>
      )}
    </section>
  );
}
