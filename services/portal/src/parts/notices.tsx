import type { ReactNode } from 'react';
import { mayBeDone, wordsOf } from '../api/client.ts';

/** Shows an error as an alert. */
export function Failure({ error, isChange = false }: { readonly error: unknown; readonly isChange?: boolean }) {
  return (
    <div role="alert" className="notice bad">
      <p>{wordsOf(error)}</p>
      {isChange && mayBeDone(error) && (
        <p>The change may have been made: check the current state before you try again.</p>
      )}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p role="status" className="quiet">
      Loading {what}…
    </p>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <p className="quiet">{children}</p>;
}
