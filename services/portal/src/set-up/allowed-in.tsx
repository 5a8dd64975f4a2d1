import { useQuery } from '@tanstack/react-query';
import { ask } from '../api/client.ts';
import { Failure } from '../parts/notices.tsx';

/** The addresses and the principal that a destination must allow, as far as operators have stated them. */
export function AllowedIn() {
  const facts = useQuery({
    queryKey: ['facts'],
    queryFn: ({ signal }) => ask('GET /v1/facts', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (facts.error !== null) return <Failure error={facts.error} />;
  const { egressAddresses, awsPrincipal } = facts.data ?? {};
  if (egressAddresses === undefined && awsPrincipal === undefined) return null;
  return (
    <section aria-labelledby="let-in">
      <h2 id="let-in">To be allowed at the destination</h2>
      <dl className="facts">
        {egressAddresses !== undefined && (
          <div>
            <dt>Requests come from</dt>
            <dd className="id">{egressAddresses.join(', ')}</dd>
          </div>
        )}
        {awsPrincipal !== undefined && (
          <div>
            <dt>The trust policy of a role names</dt>
            <dd className="id">{awsPrincipal}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}
