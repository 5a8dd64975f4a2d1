import { type ComponentType, lazy, Suspense } from 'react';
import { Row, TableFrame, type TableProps } from './table.tsx';

export type { Column } from './table.tsx';

/** Shorter tables render all rows, so that the browser's own search finds them. */
const VIRTUAL_FROM = 200;
const LongTable = lazy(() => import('./long-table.tsx'));

/** A table of any length. The code for a long one is loaded on demand; its first rows are shown at once. */
export function VirtualTable<T>(props: TableProps<T>) {
  if (props.rows.length < VIRTUAL_FROM) return <PlainTable {...props} />;
  const Long = LongTable as unknown as ComponentType<TableProps<T>>;
  return (
    <Suspense fallback={<PlainTable {...props} rows={props.rows.slice(0, VIRTUAL_FROM)} />}>
      <Long {...props} />
    </Suspense>
  );
}

function PlainTable<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
  return (
    <TableFrame caption={caption} columns={columns} count={rows.length}>
      {rows.map((row) => (
        <Row key={keyOf(row)} columns={columns} row={row} />
      ))}
    </TableFrame>
  );
}
