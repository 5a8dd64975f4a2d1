import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { Row, TableFrame, type TableProps } from './table.tsx';

const ROW_PX = 41;

/** A long table renders only its visible rows. */
export default function LongTable<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
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

function Gap({ px, columns }: { readonly px: number; readonly columns: number }) {
  if (px <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: it contains nothing, and nothing in it takes the focus
    <tr aria-hidden="true">
      <td colSpan={columns} className="gap" style={{ height: px }} />
    </tr>
  );
}
