import type { Secret } from '@databridge/schemas/api/types';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type SubmitEvent, useId, useRef } from 'react';
import { ask } from '../api/client.ts';
import { ConfirmedAction } from '../parts/confirmed-action.tsx';
import { Empty, Failure, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { useMe } from '../session/session-gate.tsx';
import { Time } from '../time/zone.tsx';

const route = getRouteApi('/app/customers/$customer/secrets');

/** Lists the secrets by place; nobody can read their values. */
export function SecretsPage() {
  const { customer } = route.useParams();
  const { may } = useMe();
  const secrets = useQuery({
    queryKey: ['customer', customer, 'secrets'],
    queryFn: ({ signal }) => ask('GET /v1/subscriptions/{customer}/secrets', { params: { customer }, signal }),
  });
  const set: Column<Secret> = {
    title: 'Change',
    cell: ({ name, fallbackUntilMs }) => (
      <div className="actions">
        <SetSecret customer={customer} name={name} />
        {fallbackUntilMs !== undefined && <EndFallback customer={customer} name={name} />}
      </div>
    ),
  };
  const invite = may.operate && (
    <Link to="/invitations" search={{ customer, invite: 'new' }}>
      Ask {customer} for them by a link
    </Link>
  );
  return (
    <Page title={`${customer}: secrets`} actions={invite}>
      <Pending query={secrets} what="the places of secrets" />
      {secrets.data?.items.length === 0 && <Empty>The set-up has no secret.</Empty>}
      {secrets.data !== undefined && secrets.data.items.length > 0 && (
        <VirtualTable
          caption="Secrets"
          columns={may.act ? [...COLUMNS, set] : COLUMNS}
          rows={secrets.data.items}
          keyOf={({ name }) => name}
        />
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<Secret>[] = [
  { title: 'Place', cell: ({ name }) => <span className="id">{name}</span> },
  { title: 'Set', cell: ({ setAtMs }) => (setAtMs === undefined ? 'unknown' : <Time ms={setAtMs} isShort />) },
  {
    title: 'Previous secret',
    cell: ({ fallbackUntilMs }) =>
      fallbackUntilMs === undefined ? (
        'not used'
      ) : (
        <>
          used until <Time ms={fallbackUntilMs} isShort />
        </>
      ),
  },
];

/** Ends the use of the previous secret, so that a test event shows whether the new one alone is right. */
function EndFallback({ customer, name }: { readonly customer: string; readonly name: string }) {
  return (
    <ConfirmedAction
      title="Remove previous secret"
      heading={`Remove the previous secret of ${name}`}
      run={() => ask('DELETE /v1/subscriptions/{customer}/secrets/{name}/fallback', { params: { customer, name } })}
    >
      <p>If the destination does not accept the new secret yet, deliveries are refused and wait.</p>
    </ConfirmedAction>
  );
}

function SetSecret({ customer, name }: { readonly customer: string; readonly name: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const valueId = useId();
  const queries = useQueryClient();
  const set = useMutation({
    mutationFn: async ({ value, overlap }: { readonly value: string; readonly overlap: string }) => {
      const { sealed } = await import('../api/seal.ts');
      const body = { sealed: await sealed(value, { customer, place: name }), overlap };
      return await ask('PUT /v1/subscriptions/{customer}/secrets/{name}', { params: { customer, name }, body });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['customer', customer] }),
  });
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    await set.mutateAsync({ value: String(data.get('value')), overlap: String(data.get('overlap')) }).then(
      () => form.reset(),
      () => undefined,
    );
  };
  const open = () => {
    set.reset();
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" onClick={open}>
        Replace…
      </button>
      <dialog ref={dialog} aria-label={`Replace ${name}`}>
        <h2>Replace {name}</h2>
        {set.isSuccess ? (
          <p role="status">The secret was replaced. Send a test event from the overview to see that it works.</p>
        ) : (
          <form className="stack" onSubmit={submit} id={`${valueId}-form`}>
            <p>It is encrypted in your browser; only delivery workers can decrypt it.</p>
            <label htmlFor={valueId}>New value</label>
            <input id={valueId} name="value" type="password" autoComplete="off" required />
            <label htmlFor={`${valueId}-overlap`}>If the new secret is refused, the previous one is used, for</label>
            <select id={`${valueId}-overlap`} name="overlap" defaultValue="24h">
              <option value="0s">not at all</option>
              <option value="1h">an hour</option>
              <option value="24h">a day</option>
              <option value="7d">a week</option>
            </select>
            {set.error !== null && <Failure error={set.error} isChange />}
          </form>
        )}
        <form method="dialog" className="actions">
          {!set.isSuccess && (
            <button
              type="submit"
              form={`${valueId}-form`}
              formMethod="post"
              className="primary"
              disabled={set.isPending}
            >
              {set.isPending ? 'Replacing…' : 'Replace'}
            </button>
          )}
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
