import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import { CODE, isFenced } from '../../protocol-codes.ts';
import type { CommittedOffset, TopicPartition } from '../../records.ts';
import type { FencedMembership } from './fenced-membership.ts';
import { groupFailure } from './group-place.ts';
import { commitOffsets } from './group-requests.ts';

/** The result of a commit that the broker processed. */
export interface CommitResult {
  /** If it is not `NONE`, nothing was stored, because the group does not accept the membership any more. */
  readonly groupCode: number;
  /** Lanes whose topic was deleted: the offsets of all others are stored. */
  readonly goneLanes: readonly TopicPartition[];
}

/**
 * Sends one request.
 * @throws a `KafkaPortError` if offsets are not stored for another reason than those in the result
 */
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
