import { useQuery } from '@tanstack/react-query';
import { type SubmitEvent, useId, useState } from 'react';
import { ask } from '../api/client.ts';
import { Failure } from '../parts/notices.tsx';

/** @param bearer a token, or the code of a sign-in link */
export async function beginSession(bearer: string): Promise<void> {
  await ask('POST /v1/sessions', { headers: { authorization: `Bearer ${bearer}` } });
}

export function SignInForm({ onSignedIn }: { readonly onSignedIn: () => void }) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const tokenId = useId();
  const ways = useQuery({
    queryKey: ['sign-in-ways'],
    queryFn: async ({ signal }) =>
      (await (await fetch('/portal/sign-in-ways', { signal })).json()) as { oidc: boolean },
    staleTime: Number.POSITIVE_INFINITY,
  });
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    setBusy(true);
    setError(undefined);
    try {
      await beginSession(String(token).trim());
      onSignedIn();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {ways.data?.oidc && (
        <p>
          <a className="button primary" href="/portal/sign-in/oidc">
            Sign in with your organization
          </a>
        </p>
      )}
      <form className="stack" onSubmit={submit}>
        <label htmlFor={tokenId}>Token</label>
        <input id={tokenId} name="token" type="password" autoComplete="off" required spellCheck={false} />
        <p className="quiet">
          It is exchanged for a session of ten hours and not kept. The command “databridge tokens generate” makes one.
        </p>
        {error !== undefined && <Failure error={error} />}
        <button className="primary" type="submit" disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </>
  );
}
