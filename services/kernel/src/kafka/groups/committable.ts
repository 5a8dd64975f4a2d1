import { MAX_METADATA_CHARS } from '../../offsets/offset-set.ts';
import { KafkaPortError } from '../errors.ts';
import { type CommittedOffset, keyOf } from '../records.ts';
import type { Membership } from './membership.ts';

/** @throws {KafkaPortError} `DB_KAFKA_NOT_ASSIGNED`, `DB_KAFKA_METADATA_TOO_LONG` */
export function assertCommittable(of: Membership, offsets: readonly CommittedOffset[]): void {
  const assigned = new Set(of.assignment.map(keyOf));
  for (const offset of offsets) {
    if (!assigned.has(keyOf(offset))) {
      // The broker doesn't check this: the commit would overwrite the owner's.
      throw new KafkaPortError('DB_KAFKA_NOT_ASSIGNED', `commit: ${keyOf(offset)} is not assigned to this member`);
    }
    if (offset.metadata.length > MAX_METADATA_CHARS) {
      // The broker would refuse this partition, and store the others of the same call.
      const length = `${offset.metadata.length} > ${MAX_METADATA_CHARS} characters`;
      throw new KafkaPortError('DB_KAFKA_METADATA_TOO_LONG', `commit: metadata of ${keyOf(offset)}: ${length}`);
    }
  }
}
