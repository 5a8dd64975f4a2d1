import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Failure } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { beginSession, SignInForm } from './sign-in-form.tsx';

/** The page for sign-in links, and for users whom an OpenID provider refused. */
export function SignInPage() {
  const navigate = useNavigate();
  const [link] = useState(() => location.hash.slice(1));
  const [error, setError] = useState<unknown>();
  const wasRefused = new URLSearchParams(location.search).get('refused') === 'provider';
  useEffect(() => {
    if (link === '') return;
    // Out of the address, the history and sight: it is good once.
    history.replaceState(null, '', location.pathname);
    beginSession(link).then(() => navigate({ to: '/', replace: true }), setError);
  }, [link, navigate]);
  if (link !== '' && error === undefined) return <p role="status">Signing in…</p>;
  return (
    <main className="narrow">
      <Page title="Sign in to Databridge Events">
        {error !== undefined && (
          <>
            <Failure error={error} />
            <p>A sign-in link can be used once, within ten minutes. Request another one, or use a token.</p>
          </>
        )}
        {wasRefused && (
          <p role="alert" className="notice bad">
            Your organization’s sign-in was canceled, or gives you no role here. Ask an operator.
          </p>
        )}
        <SignInForm onSignedIn={() => navigate({ to: '/', replace: true })} />
      </Page>
    </main>
  );
}
