import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ReactNode;
  readonly isNumber?: boolean;
  /** Left out below 40rem of width. */
  readonly isExtra?: boolean;
}

interface VirtualTableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

/** Below it, all rows are there: a browser's own search finds them. */
const VIRTUAL_FROM = 200;
const ROW_PX = 41;

/** A native table; of a long one, only the rows in sight are there. */
export function VirtualTable<T>(props: VirtualTableProps<T>) {
  return props.rows.length < VIRTUAL_FROM ? <PlainTable {...props} /> : <LongTable {...props} />;
}

function PlainTable<T>({ caption, columns, rows, keyOf }: VirtualTableProps<T>) {
  return (
    <TableFrame caption={caption} columns={columns} count={rows.length}>
      {rows.map((row) => (
        <Row key={keyOf(row)} columns={columns} row={row} />
      ))}
    </TableFrame>
  );
}

function LongTable<T>({ caption, columns, rows, keyOf }: VirtualTableProps<T>) {
  const body = useRef<HTMLDivElement>(null);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    overscan: 20,
    scrollMargin: body.current?.offsetTop ?? 0,
  });
  const items = virtualizer.getVirtualItems();
  const before = (items[0]?.start ?? 0) - virtualizer.options.scrollMargin;
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? 0) - virtualizer.options.scrollMargin);
  return (
    <div ref={body}>
      <TableFrame caption={caption} columns={columns} count={rows.length}>
        <Gap px={before} columns={columns.length} />
        {items.map(({ index }) => {
          const row = rows[index] as T;
          return <Row key={keyOf(row)} columns={columns} row={row} index={index} />;
        })}
        <Gap px={after} columns={columns.length} />
      </TableFrame>
    </div>
  );
}

function TableFrame<T>(props: {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly count: number;
  readonly children: ReactNode;
}) {
  const { caption, columns, count, children } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="scroll" aria-label={caption} tabIndex={0}>
      <table aria-rowcount={count + 1}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function Row<T>({
  columns,
  row,
  index,
}: {
  readonly columns: readonly Column<T>[];
  readonly row: T;
  readonly index?: number;
}) {
  return (
    <tr aria-rowindex={index === undefined ? undefined : index + 2}>
      {columns.map((column) => (
        <td key={column.title} className={classOf(column)}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}

function Gap({ px, columns }: { readonly px: number; readonly columns: number }) {
  if (px <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: it holds nothing, and nothing in it takes the focus
    <tr aria-hidden="true">
      <td colSpan={columns} className="gap" style={{ height: px }} />
    </tr>
  );
}

const classOf = <T,>({ isNumber, isExtra }: Column<T>) =>
  [isNumber && 'number', isExtra && 'extra'].filter(Boolean).join(' ') || undefined;
