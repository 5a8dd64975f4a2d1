import type { Examination, Health, Workers } from '@databridge/schemas/api/types';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ask } from '../api/client.ts';
import { Mark } from '../parts/mark.tsx';
import { Failure, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { lengthOf } from '../time/words.ts';
import { Time } from '../time/zone.tsx';

const LIVE_MS = 10_000;
const VERDICTS = {
  ok: { shape: '●', word: 'OK', tone: 'good' },
  fault: { shape: '■', word: 'Fault', tone: 'bad' },
  unknown: { shape: '○', word: 'Not checked', tone: 'idle' },
} as const;

/** Shows the state of the service, its workers, the intake and the findings of the doctor. */
export function HealthPage() {
  const health = useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => ask('GET /v1/health', { signal }),
    refetchInterval: 3 * LIVE_MS,
  });
  const workers = useQuery({
    queryKey: ['workers'],
    queryFn: ({ signal }) => ask('GET /v1/workers', { signal }),
    refetchInterval: LIVE_MS,
  });
  const doctor = useQuery({ queryKey: ['doctor'], queryFn: ({ signal }) => ask('GET /v1/doctor', { signal }) });
  const intake = useQuery({ queryKey: ['intake'], queryFn: ({ signal }) => ask('GET /v1/intake', { signal }) });
  return (
    <Page
      title="Health"
      actions={
        <button type="button" onClick={() => doctor.refetch()} disabled={doctor.isFetching}>
          Examine again
        </button>
      }
    >
      <Pending query={health} what="the state of the service" />
      {health.data !== undefined && <Facts health={health.data} />}
      <h2>Workers</h2>
      <Pending query={workers} what="workers" />
      {workers.data !== undefined && (
        <>
          {workers.data.unattended.length > 0 && (
            <p className="notice bad">No worker runs: {workers.data.unattended.join(', ')}</p>
          )}
          <VirtualTable caption="Workers" columns={WORKERS} rows={workers.data.items} keyOf={({ worker }) => worker} />
        </>
      )}
      <h2>Intake</h2>
      {intake.error !== null && <Failure error={intake.error} />}
      {intake.data !== undefined && (
        <p>
          {intake.data.unmatched.toLocaleString('en')} records went to no customer, and filters excluded{' '}
          {intake.data.filtered.toLocaleString('en')} copies
          {intake.data.sinceMs !== undefined && (
            <>
              , since <Time ms={intake.data.sinceMs} />
            </>
          )}
          .
        </p>
      )}
      <h2>Checks</h2>
      <Pending query={doctor} what="findings" />
      {doctor.data !== undefined && (
        <VirtualTable
          caption="Findings"
          columns={FINDINGS}
          rows={doctor.data.findings}
          keyOf={({ check, detail }) => `${check} ${detail}`}
        />
      )}
    </Page>
  );
}

function Facts({ health }: { readonly health: Health }) {
  const { writer, workers, customers, intakeLag, quarantined, registry, keyIds } = health;
  const lag = Object.entries(intakeLag).map(([topic, records]) => `${topic}: ${records.toLocaleString('en')}`);
  return (
    <dl className="facts">
      <Fact name="Writer">
        {writer.origin ?? <Mark shape="■" word="None at the moment: changes wait" tone="bad" />}
        {writer.isThisOne && ', which gave this answer'}
      </Fact>
      <Fact name="Workers">
        {workers.alive} alive, {workers.dead} dead, {workers.failing} failing for a customer
      </Fact>
      <Fact name="Customers">
        {customers.active} active, {customers.paused} paused, {customers.disabled} disabled
        {customers.unattended > 0 && <Mark shape="■" word={`${customers.unattended} run by nobody`} tone="bad" />}
      </Fact>
      <Fact name="Lag of the intake">{lag.length === 0 ? 'unknown' : `${lag.join(', ')} records`}</Fact>
      <Fact name="Quarantine">
        <Link to="/quarantine">at most {quarantined.toLocaleString('en')} records</Link>
      </Fact>
      <Fact name="Schema registry">
        <Mark {...VERDICTS[registry.verdict]} /> {registry.detail}
      </Fact>
      <Fact name="Keys of this control plane">
        <span className="id">{keyIds.controlPlane.join(', ')}</span>
      </Fact>
    </dl>
  );
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const WORKERS: readonly Column<Workers['items'][number]>[] = [
  { title: 'Worker', cell: ({ worker }) => worker },
  {
    title: 'State',
    cell: ({ isAlive, failing }) => {
      if (!isAlive) return <Mark shape="■" word="Dead" tone="bad" />;
      if (failing.length > 0) return <Mark shape="▲" word={`${failing.length} failing`} tone="warning" />;
      return <Mark shape="●" word="Alive" tone="good" />;
    },
  },
  { title: 'Customers', isNumber: true, cell: ({ customers }) => customers.length.toLocaleString('en') },
  { title: 'Last report', cell: ({ silentForMs }) => `${lengthOf(silentForMs)} ago` },
  { title: 'Version', isExtra: true, cell: ({ version }) => version },
  { title: 'Started', isExtra: true, cell: ({ startedAtMs }) => <Time ms={startedAtMs} isShort /> },
];

const FINDINGS: readonly Column<Examination['findings'][number]>[] = [
  { title: 'Verdict', cell: ({ verdict }) => <Mark {...VERDICTS[verdict]} /> },
  { title: 'Check', cell: ({ check }) => check },
  {
    title: 'Finding',
    cell: ({ detail, advice }) => (
      <>
        {detail}
        {advice !== undefined && <p className="quiet">{advice}</p>}
      </>
    ),
  },
];
