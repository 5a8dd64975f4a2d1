import type { Difference } from './differences.ts';

/** Lists differences by JSON pointer. */
export function ChangeList({ changes }: { readonly changes: readonly Difference[] }) {
  return (
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
  );
}
