import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import type { AnswerOf } from '../api/client.ts';
import { onSessionOver, viewedCustomer } from '../api/client.ts';
import { meQuery } from '../api/queries.ts';
import { Failure, Loading } from '../parts/notices.tsx';
import { SignInForm } from './sign-in-form.tsx';

export type Me = AnswerOf<'GET /v1/me'>;

const MeContext = createContext<Me | undefined>(undefined);

/** Returns the signed-in user; inside of {@link SessionGate} there always is one. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (me === undefined) throw new Error('useMe outside of SessionGate');
  return me;
}

/**
 * Shows its children to a signed-in user. If the session ends meanwhile, the user signs in again in a dialog above
 * them: typed input stays, and the request that failed is sent again.
 */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const waiting = useRef<PromiseWithResolvers<void>>(undefined);
  const [isOver, setOver] = useState(false);
  const [canAsk, setCanAsk] = useState(false);
  const queries = useQueryClient();
  useEffect(() => {
    onSessionOver(() => {
      waiting.current ??= Promise.withResolvers<void>();
      setOver(true);
      return waiting.current.promise;
    });
    setCanAsk(true);
    return () => onSessionOver(undefined);
  }, []);
  const me = useQuery({ ...meQuery(), enabled: canAsk });
  const signedIn = () => {
    setOver(false);
    waiting.current?.resolve();
    waiting.current = undefined;
    // Somebody else may sit there now.
    void queries.invalidateQueries();
  };
  return (
    <>
      {isOver && <SignInDialog onSignedIn={signedIn} isFirst={me.data === undefined} />}
      {me.error !== null && <Failure error={me.error} />}
      {me.data === undefined ? <Loading what="your rights" /> : <MeContext value={seen(me.data)}>{children}</MeContext>}
    </>
  );
}

/** In the view as a customer there are no actions, and events can't be read. */
const seen = (me: Me): Me =>
  viewedCustomer() === undefined ? me : { ...me, may: { ...me.may, act: false, payload: false } };

function SignInDialog({ onSignedIn, isFirst }: { readonly onSignedIn: () => void; readonly isFirst: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="sign-in-title" onCancel={(event) => event.preventDefault()}>
      <h2 id="sign-in-title">{isFirst ? 'Sign in to Databridge Events' : 'Your session has ended'}</h2>
      {!isFirst && <p>Sign in again to go on: what you typed stays.</p>}
      <SignInForm onSignedIn={onSignedIn} />
    </dialog>
  );
}
