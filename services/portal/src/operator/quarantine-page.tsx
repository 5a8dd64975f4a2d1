import type { QuarantinedRecord } from '@databridge/schemas/api/types';
import { useInfiniteQuery } from '@tanstack/react-query';
import { pagesQuery } from '../api/queries.ts';
import { LetterActions } from '../parts/letter-actions.tsx';
import { Empty, NextPage, Pending } from '../parts/notices.tsx';
import { OpenRow } from '../parts/open-row.tsx';
import { Page } from '../parts/page.tsx';
import { type Column, VirtualTable } from '../parts/virtual-table.tsx';
import { useMe } from '../session/session-gate.tsx';
import { Time } from '../time/zone.tsx';
import { QuarantineContent } from './quarantine-content.tsx';

/** Intake records that fan-out could not read. */
export function QuarantinePage() {
  const { may } = useMe();
  const records = useInfiniteQuery(pagesQuery('GET /v1/quarantine', {}));
  const rows = records.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Quarantine" actions={may.operate && <LetterActions />}>
      <Pending query={records} what="the quarantine" />
      {records.data !== undefined && rows.length === 0 && <Empty>Every intake record could be read.</Empty>}
      {rows.length > 0 && (
        <VirtualTable
          caption="Quarantined records"
          columns={may.operate ? [...COLUMNS, MORE] : COLUMNS}
          rows={rows}
          keyOf={({ id }) => id}
        />
      )}
      <NextPage query={records} which="newer" />
    </Page>
  );
}

const COLUMNS: readonly Column<QuarantinedRecord>[] = [
  { title: 'Source record', cell: ({ id }) => <span className="id">{id}</span> },
  { title: 'Reason', cell: ({ reason }) => reason },
  { title: 'Detail', isExtra: true, cell: ({ detail }) => detail ?? '–' },
  { title: 'Bytes', isNumber: true, isExtra: true, cell: ({ bytes }) => bytes.toLocaleString('en') },
  { title: 'Since', cell: ({ at }) => <Time ms={at} isShort /> },
];

const MORE: Column<QuarantinedRecord> = {
  title: 'More',
  cell: ({ id }) => (
    <OpenRow id={id}>
      <div className="actions">
        <QuarantineContent id={id} />
        <LetterActions ids={[id]} />
      </div>
    </OpenRow>
  ),
};
