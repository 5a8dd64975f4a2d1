import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, ask, askInFull } from '../api/client.ts';
import { differences, mergePatch } from '../parts/differences.ts';
import { Failure, Loading } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useMe } from '../session/session-gate.tsx';

const route = getRouteApi('/app/customers/$customer/set-up');

type Document = Readonly<Record<string, unknown>>;

/** The subscription as it is written, secrets masked; what a change would do, before it is saved. */
export function SetUpPage() {
  const { customer } = route.useParams();
  const { may } = useMe();
  const stored = useQuery({
    queryKey: ['customer', customer, 'subscription'],
    queryFn: async ({ signal }) => {
      const { answer, headers } = await askInFull('GET /v1/subscriptions/{customer}', { params: { customer }, signal });
      return { document: answer as Document, etag: headers.get('etag') ?? '' };
    },
  });
  return (
    <Page title={`${customer}: set-up`}>
      {stored.error !== null && <Failure error={stored.error} />}
      {stored.isPending && <Loading what="the set-up" />}
      {stored.data !== undefined &&
        (may.act ? (
          <Editor key={stored.data.etag} customer={customer} {...stored.data} />
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          <pre tabIndex={0}>{JSON.stringify(stored.data.document, null, 2)}</pre>
        ))}
    </Page>
  );
}

interface EditorProps {
  readonly customer: string;
  readonly document: Document;
  readonly etag: string;
}

function Editor({ customer, document, etag }: EditorProps) {
  const [text, setText] = useState(() => JSON.stringify(document, null, 2));
  const queries = useQueryClient();
  const wanted = parsed(text);
  const changes = wanted.document === undefined ? [] : differences(document, wanted.document);
  const save = useMutation({
    mutationFn: () =>
      ask('PATCH /v1/subscriptions/{customer}', {
        params: { customer },
        body: mergePatch(document, wanted.document ?? document),
        headers: { 'if-match': etag },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['customer', customer] }),
  });
  const mistakes = save.error instanceof ApiError ? (save.error.problem.errors ?? []) : [];
  return (
    <div className="stack">
      <label htmlFor="set-up">As JSON; a secret that stays is “[secret]”</label>
      <textarea
        id="set-up"
        rows={24}
        spellCheck={false}
        value={text}
        aria-describedby="set-up-mistakes"
        aria-invalid={wanted.mistake !== undefined || mistakes.length > 0}
        onChange={({ currentTarget: { value } }) => setText(value)}
      />
      <div id="set-up-mistakes" role="status">
        {wanted.mistake !== undefined && <p className="bad">It is not valid JSON: {wanted.mistake}</p>}
        {save.error !== null && <Failure error={save.error} isChange />}
        {mistakes.length > 0 && (
          <dl>
            {mistakes.map(({ pointer, detail }) => (
              <div key={pointer + detail}>
                <dt className="id">{pointer}</dt>
                <dd>{detail}</dd>
              </div>
            ))}
          </dl>
        )}
        {save.data?.warnings.map(({ pointer, detail }) => (
          <p key={pointer + detail} className="notice warning">
            Saved, but {pointer}: {detail}
          </p>
        ))}
      </div>
      <h2>{changes.length === 0 ? 'Nothing is changed' : 'What would change'}</h2>
      {changes.length > 0 && (
        <dl>
          {changes.map(({ pointer, from, to }) => (
            <div key={pointer}>
              <dt className="id">{pointer}</dt>
              <dd>
                {from === undefined ? 'added' : <del>{from}</del>} {to === undefined ? 'removed' : <ins>{to}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <button
        type="button"
        className="primary"
        disabled={changes.length === 0 || save.isPending}
        onClick={() => save.mutate()}
      >
        {save.isPending ? 'Saving…' : 'Save'}
      </button>
    </div>
  );
}

function parsed(text: string): { readonly document?: Document; readonly mistake?: string } {
  try {
    return { document: JSON.parse(text) as Document };
  } catch (error) {
    return { mistake: error instanceof Error ? error.message : String(error) };
  }
}
