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

interface PendingProps {
  readonly query: { readonly error: unknown; readonly isPending: boolean };
  readonly what: string;
}

/** Shows that a query waits for its answer, or why it has none. */
export function Pending({ query: { error, isPending }, what }: PendingProps) {
  return (
    <>
      {error !== null && <Failure error={error} />}
      {isPending && <Loading what={what} />}
    </>
  );
}

interface NextPageProps {
  readonly query: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => unknown;
  };
  readonly which: 'older' | 'newer';
}

/** The button that adds the next page of a list; nothing if there is none. */
export function NextPage({ query, which }: NextPageProps) {
  if (!query.hasNextPage) return null;
  return (
    <button type="button" onClick={() => query.fetchNextPage()} disabled={query.isFetchingNextPage}>
      Show {which} ones
    </button>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <p className="quiet">{children}</p>;
}
