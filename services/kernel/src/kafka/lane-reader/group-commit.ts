import { MAX_METADATA_CHARS } from '../../offsets/offset-set.ts';
import { KafkaPortError } from '../errors.ts';
import type { Membership } from '../groups/membership.ts';
import type { BrokerConnection } from '../kafkajs/broker-connection.ts';
import type { CommittedOffset, TopicPartition } from '../records.ts';
import { CODE, isFenced } from './error-codes.ts';
import { keyOf } from './feed.ts';
import type { FencedMembership } from './fenced-membership.ts';
import { groupFailure } from './group-place.ts';
import { commitOffsets } from './group-requests.ts';

/** What came of a commit that the broker took up. */
export interface CommitResult {
  /** Not `NONE`: nothing was stored, since the membership is no longer the group's. */
  readonly groupCode: number;
  /** Lanes whose topic was deleted: the offsets of all others are stored. */
  readonly goneLanes: readonly TopicPartition[];
}

/** @throws {KafkaPortError} `DB_KAFKA_NOT_ASSIGNED`, `DB_KAFKA_METADATA_TOO_LONG` */
export function assertCommittable(of: Membership, offsets: readonly CommittedOffset[]): void {
  const assigned = new Set(of.assignment.map(keyOf));
  for (const offset of offsets) {
    if (!assigned.has(keyOf(offset))) {
      // The broker doesn't check it.
      throw new KafkaPortError('DB_KAFKA_NOT_ASSIGNED', `commit: ${keyOf(offset)} is no lane of this membership`);
    }
    if (offset.metadata.length > MAX_METADATA_CHARS) {
      // The broker would refuse this partition, and store the others of the same call.
      const length = `${offset.metadata.length} > ${MAX_METADATA_CHARS} characters`;
      throw new KafkaPortError('DB_KAFKA_METADATA_TOO_LONG', `commit: metadata of ${keyOf(offset)}: ${length}`);
    }
  }
}

/** One request. @throws {KafkaPortError} when offsets are not stored for another reason than those in the result */
export async function commitOnce(
  connection: BrokerConnection,
  groupId: string,
  membership: FencedMembership,
  offsets: readonly CommittedOffset[],
): Promise<CommitResult> {
  const answers = await commitOffsets(connection, groupId, membership, offsets);
  const goneLanes: TopicPartition[] = [];
  for (const { topic, partition, errorCode } of answers) {
    if (isFenced(errorCode) || errorCode === CODE.REBALANCE_IN_PROGRESS) return { groupCode: errorCode, goneLanes: [] };
    if (errorCode === CODE.UNKNOWN_TOPIC_OR_PARTITION) goneLanes.push({ topic, partition });
    else if (errorCode !== CODE.NONE) throw groupFailure(`commit of ${topic}/${partition}`, errorCode);
  }
  return { groupCode: CODE.NONE, goneLanes };
}
