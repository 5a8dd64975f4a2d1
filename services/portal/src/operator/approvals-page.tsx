/** Set-ups that customers entered by an invitation: events flow once an operator has approved them. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { type AnswerOf, ask, askInFull } from '../api/client.ts';
import { finished } from '../api/operation.ts';
import { pagesQuery } from '../api/queries.ts';
import { count } from '../customer/state-words.ts';
import { TestButton } from '../customer/test-button.tsx';
import { ConfirmedAction } from '../parts/confirmed-action.tsx';
import { Empty, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';

type Stated = AnswerOf<'GET /v1/subscriptions'>['items'][number];

const LIVE_MS = 10_000;
/** The sections that a customer sets itself; the operator granted the rest. */
const BY_CUSTOMER = ['destination', 'authentication', 'tls', 'signing', 'ratePerSecond'] as const;
const BY_OPERATOR = ['eventTypes', 'match', 'filter', 'sections', 'ceilings'] as const;

export function ApprovalsPage() {
  const found = useInfiniteQuery({
    ...pagesQuery('GET /v1/subscriptions', {}, { awaitsApproval: 'true' }),
    refetchInterval: LIVE_MS,
  });
  const rows = found.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Approvals">
      <Pending query={found} what="set-ups" />
      {found.data !== undefined && rows.length === 0 && <Empty>No set-up awaits approval.</Empty>}
      {rows.length > 0 && (
        <p role="status">{count(rows.length, 'set-up')} to be approved; each gets test events alone.</p>
      )}
      {rows.map((one) => (
        <Approval key={one.customer} stated={one} />
      ))}
    </Page>
  );
}

function Approval({ stated }: { readonly stated: Stated }) {
  const { customer } = stated;
  const { may } = useMe();
  return (
    <article className="card" aria-labelledby={`approve-${customer}`}>
      <h2 id={`approve-${customer}`}>{customer}</h2>
      <h3>Entered by the customer</h3>
      <Facts stated={stated} names={BY_CUSTOMER} />
      <h3>Set by operators</h3>
      <Facts stated={stated} names={BY_OPERATOR} />
      {may.operate && (
        <div className="actions">
          <ConfirmedAction
            title="Approve"
            heading={`Approve ${customer}`}
            run={() => ask('POST /v1/subscriptions/{customer}/approve', { params: { customer } })}
          >
            <p>Events flow from then on, to:</p>
            <pre>{JSON.stringify(stated['destination'], null, 2)}</pre>
          </ConfirmedAction>
          <TestButton customer={customer} />
          <ConfirmedAction title="Decline" heading={`Decline ${customer}`} isDanger run={() => decline(customer)}>
            <p>
              What the customer stated is deleted, its secrets included. Nothing was delivered to it but test events.
            </p>
          </ConfirmedAction>
        </div>
      )}
    </article>
  );
}

/** @throws {Error} if it was approved meanwhile: nothing is deleted then */
async function decline(customer: string): Promise<void> {
  const params = { customer };
  const { answer, headers } = await askInFull('GET /v1/subscriptions/{customer}', { params });
  if (answer.awaitsApproval !== true) throw new Error(`${customer} was approved in the meantime: nothing is deleted.`);
  const deleted = await ask('DELETE /v1/subscriptions/{customer}', {
    ...{ params, query: { waiting: 'discard' } },
    headers: { 'if-match': headers.get('etag') ?? '' },
  });
  await finished(deleted);
}

function Facts({ stated, names }: { readonly stated: Stated; readonly names: readonly string[] }) {
  const given = Object.entries(stated).filter(([name]) => names.includes(name));
  return (
    <dl className="facts">
      {given.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="id">
            {Object.entries(flat(value)).map(([key, text]) => (
              <div key={key}>{key === '' ? text : `${key}: ${text}`}</div>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function flat(value: unknown, path = ''): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { [path]: typeof value === 'string' ? value : JSON.stringify(value) };
  }
  const parts = Object.entries(value).map(([name, inner]) => flat(inner, path === '' ? name : `${path}.${name}`));
  return Object.assign({}, ...parts) as Readonly<Record<string, string>>;
}
