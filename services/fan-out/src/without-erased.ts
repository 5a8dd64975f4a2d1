import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import { type ErasedEvents, eventDigest, tombstoneHeaders } from '@databridge/schemas/privacy/erasures';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';

/**
 * The records to write, given the erased events: copies of an erased event become tombstones, so that the books of its
 * customers count it, and nobody receives it.
 * @returns the same records, in the same order
 */
export function withoutErased(
  records: readonly ProducedRecord[],
  erased: Pick<ErasedEvents, 'isEmpty' | 'has'>,
): readonly ProducedRecord[] {
  if (erased.isEmpty) return records;
  return records.map((record) => {
    const facts = readDeliveryHeaders(record.headers ?? {});
    if (!erased.has(facts)) return record;
    return { ...record, value: null, headers: tombstoneHeaders({ digest: eventDigest(facts) }) };
  });
}
