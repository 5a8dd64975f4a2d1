/** A native table by its columns. */
import type { ReactNode } from 'react';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ReactNode;
  readonly isNumber?: boolean;
  /** The column is left out below a width of 40rem. */
  readonly isExtra?: boolean;
}

export interface TableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

export function TableFrame<T>(props: {
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

export function Row<T>({
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
const classOf = <T,>({ isNumber, isExtra }: Column<T>) =>
  [isNumber && 'number', isExtra && 'extra'].filter(Boolean).join(' ') || undefined;
