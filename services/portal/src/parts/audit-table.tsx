import type { AuditRecord } from '@databridge/schemas/api/types';
import { Time } from '../time/zone.tsx';
import { ChangeList } from './change-list.tsx';
import { differences } from './differences.ts';
import { OpenRow } from './open-row.tsx';
import { type Column, VirtualTable } from './virtual-table.tsx';

/** Lists changes and who made them; a change of a subscription shows its differences. */
export function AuditTable({
  rows,
  hasCustomer,
}: {
  readonly rows: readonly AuditRecord[];
  readonly hasCustomer: boolean;
}) {
  const columns = hasCustomer ? COLUMNS : COLUMNS.filter(({ title }) => title !== 'Customer');
  return <VirtualTable caption="Changes" columns={columns} rows={rows} keyOf={({ id }) => id} />;
}

const COLUMNS: readonly Column<AuditRecord>[] = [
  { title: 'When', cell: ({ at }) => <Time ms={at} isShort /> },
  { title: 'Who', cell: ({ who: { name, role } }) => `${name} (${role})` },
  { title: 'What', cell: ({ what }) => what },
  { title: 'Customer', cell: ({ customer }) => customer ?? '–' },
  { title: 'Details', isExtra: true, cell: (record) => <Details record={record} /> },
];

function Details({ record }: { readonly record: AuditRecord }) {
  const { before, after, detail, secrets } = record;
  const changes = differences(before, after);
  const isEmpty = changes.length === 0 && detail === undefined && secrets === undefined;
  if (isEmpty) return '–';
  return (
    <OpenRow id={record.id}>
      {changes.length > 0 && <ChangeList changes={changes} />}
      {Array.isArray(secrets) && <p>Other secrets than before: {secrets.join(', ')}</p>}
      {detail !== undefined && <pre>{JSON.stringify(detail, null, 2)}</pre>}
    </OpenRow>
  );
}
