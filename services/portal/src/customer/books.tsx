import type { Reconciliation } from '@databridge/schemas/api/types';
import { useMutation } from '@tanstack/react-query';
import { ask } from '../api/client.ts';
import { Failure } from '../parts/notices.tsx';
import { count } from './state-words.ts';

/** Tells in one sentence whether every event is accounted for. It reads topics, so it runs on request only. */
export function Books({ customer }: { readonly customer: string }) {
  const books = useMutation({
    mutationFn: () => ask('GET /v1/subscriptions/{customer}/reconciliation', { params: { customer } }),
  });
  return (
    <section aria-labelledby="books">
      <h2 id="books">Reconciliation</h2>
      <p role="status">{books.data === undefined ? 'Every event can be accounted for.' : booksWords(books.data)}</p>
      {books.error !== null && <Failure error={books.error} />}
      <button type="button" onClick={() => books.mutate()} disabled={books.isPending}>
        {books.isPending ? 'Counting…' : 'Count now'}
      </button>
    </section>
  );
}

function booksWords(found: Reconciliation): string {
  const { written, delivered, waiting, dead, removed, skipped, erased, settled, unaccounted } = found;
  const parts = [
    [delivered, 'delivered'],
    [waiting, 'waiting'],
    [dead, 'dead letters'],
    [removed, 'discarded'],
    [skipped, 'skipped'],
    [erased, 'erased'],
    [settled, 'settled before the attempt log begins'],
  ] as const;
  const listed = parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number.toLocaleString('en')} ${word}`);
  const verdict =
    unaccounted.length === 0 ? 'none is missing' : `${count(unaccounted.length, 'event')} can't be accounted for`;
  return `Of ${count(written, 'event')}: ${listed.join(', ') || 'none yet'}; ${verdict}.`;
}
