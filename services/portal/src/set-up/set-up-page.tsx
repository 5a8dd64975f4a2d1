import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { ask, askInFull } from '../api/client.ts';
import { mistakesIn } from '../forms/mistakes.ts';
import { ChangeList } from '../parts/change-list.tsx';
import { type Document, mergePatch } from '../parts/differences.ts';
import { Failure, Pending } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';
import { AllowedIn } from './allowed-in.tsx';
import { ClientCertificate } from './client-certificate.tsx';
import { sectionOf, shownDifferences, typedSecrets, withoutTyped } from './draft.ts';
import { JsonEditor } from './json-editor.tsx';
import { SetUpForm, SHOWN } from './set-up-form.tsx';

const route = getRouteApi('/app/customers/$customer/set-up');

/** Edits the subscription with masked secrets; shows the differences before they are saved. */
export function SetUpPage() {
  const { customer } = route.useParams();
  const { may } = useMe();
  const stored = useQuery({
    queryKey: ['customer', customer, 'subscription'],
    queryFn: async ({ signal }) => {
      const { answer, headers } = await askInFull('GET /v1/subscriptions/{customer}', { params: { customer }, signal });
      return { document: answer as Document, etag: headers.get('etag') ?? '' };
    },
    // What is typed here must not be thrown away because somebody else saved; the ETag tells when that happened.
    refetchOnWindowFocus: false,
  });
  return (
    <Page title={`${customer}: set-up`}>
      <Pending query={stored} what="the set-up" />
      {stored.data !== undefined &&
        (may.act ? (
          <Editor key={stored.data.etag} customer={customer} {...stored.data} />
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          <pre tabIndex={0}>{JSON.stringify(stored.data.document, null, 2)}</pre>
        ))}
      {may.act && stored.data !== undefined && takesCertificate(stored.data.document) && (
        <ClientCertificate customer={customer} />
      )}
      <AllowedIn />
    </Page>
  );
}

/** Only HTTP endpoints take a client certificate: AWS's own services authenticate requests by signature. */
const takesCertificate = (document: Document) =>
  ['http', 'api-gateway'].includes(String(sectionOf(document, 'destination')['type']));

interface EditorProps {
  readonly customer: string;
  readonly document: Document;
  readonly etag: string;
}

function Editor({ customer, document, etag }: EditorProps) {
  const { as } = route.useSearch();
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(document);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: async () => {
      const typed = typedSecrets(draft);
      const sealed = typed.size === 0 ? undefined : await (await import('../api/seal.ts')).sealedAll(customer, typed);
      return await ask('PATCH /v1/subscriptions/{customer}', {
        params: { customer },
        body: { ...mergePatch(document, withoutTyped(draft)), ...(sealed && { sealed }) },
        headers: { 'if-match': etag },
      });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['customer', customer] }),
  });
  const changes = shownDifferences(document, draft);
  const mistakes = mistakesIn(save.error);
  const isJson = as === 'json';
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="stack" noValidate onSubmit={submit}>
      <button
        type="button"
        aria-pressed={isJson}
        onClick={() => navigate({ search: { as: isJson ? undefined : ('json' as const) } })}
      >
        {isJson ? 'Show it as a form' : 'Show all of it as JSON'}
      </button>
      {isJson ? (
        <JsonEditor draft={draft} mistakes={mistakes} onChange={setDraft} />
      ) : (
        <SetUpForm draft={draft} mistakes={mistakes} onChange={setDraft} />
      )}
      <div role="status">
        {save.error !== null && <Failure error={save.error} isChange />}
        {mistakes.others(isJson ? [] : SHOWN).map(({ pointer, detail }) => (
          <p key={pointer + detail} className="bad">
            <span className="id">{pointer}</span> {detail}
          </p>
        ))}
        {save.data?.warnings.map(({ pointer, detail }) => (
          <p key={pointer + detail} className="notice warning">
            Saved, but {pointer}: {detail}
          </p>
        ))}
      </div>
      <h2>{changes.length === 0 ? 'Nothing is changed' : 'What would change'}</h2>
      {changes.length > 0 && <ChangeList changes={changes} />}
      <button type="submit" className="primary" disabled={changes.length === 0 || save.isPending}>
        {save.isPending ? 'Saving…' : 'Save'}
      </button>
    </form>
  );
}
