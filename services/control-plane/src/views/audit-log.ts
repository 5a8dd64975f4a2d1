import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { type AuditRecord, decodeAudit } from '@databridge/schemas/records/audit';
import { AUDIT_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';

export interface AuditQuery {
  /** If omitted, all records, including those that concern no customer. */
  readonly customer?: string;
  readonly limit: number;
  /** Only records before that place: `next` of the previous page. */
  readonly before?: number;
}

export interface AuditPage {
  /** The newest first. */
  readonly items: readonly AuditRecord[];
  readonly next?: number;
}

/** The number of records that are read at once, from the end of the log backwards. */
const WINDOW = 2_000;

/** @throws {KafkaPortError} */
export async function readAudit(
  { admin, kafka }: Pick<ControlPlaneContext, 'admin' | 'kafka'>,
  { customer, limit, before = Number.POSITIVE_INFINITY }: AuditQuery,
): Promise<AuditPage> {
  const [partition] = await admin.watermarks(AUDIT_TOPIC);
  const low = partition?.low ?? 0;
  const found: { offset: number; record: AuditRecord }[] = [];
  // One more than asked for tells whether there is a next page.
  for (let to = Math.min(partition?.high ?? 0, before); to > low && found.length <= limit; to -= WINDOW) {
    const window = await readWindow(kafka, Math.max(low, to - WINDOW), to);
    found.push(...window.filter(({ record }) => customer === undefined || record.customer === customer).reverse());
  }
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ record }) => record),
    ...(found.length > limit && last !== undefined && { next: last.offset }),
  };
}

async function readWindow(kafka: ControlPlaneContext['kafka'], from: number, to: number) {
  const found: { offset: number; record: AuditRecord }[] = [];
  await readTopic(kafka, AUDIT_TOPIC, {
    within: () => ({ from, to }),
    onBatch({ records }) {
      for (const { offset, value } of records) {
        const record = value === null ? undefined : decodeAudit(value);
        if (record !== undefined) found.push({ offset, record });
      }
    },
  });
  return found;
}
