import type { KafkaSettings } from '../../kafkajs/client.ts';
import { CODE } from '../../protocol-codes.ts';
import { Cluster } from '../brokers/cluster.ts';
import { Coordinators } from '../brokers/coordinators.ts';
import { GroupQuestions } from './group-questions.ts';
import { leaveGroup } from './group-requests.ts';
import { PresentMembers } from './present-member.ts';

/**
 * Removes the member that a dead worker left in a customer's group, on behalf of a process that is not a worker.
 * Otherwise the group would be empty only when that member's session ends, which is longer than a worker's own session.
 * @param workersGroup the group of all running workers
 * @returns whether there was one
 * @throws {KafkaPortError}
 */
export async function evictDeadMember(
  settings: KafkaSettings,
  groupId: string,
  workersGroup: string,
): Promise<boolean> {
  const cluster = new Cluster(settings);
  try {
    const coordinators = new Coordinators(cluster);
    const memberId = await new PresentMembers(new GroupQuestions(coordinators), workersGroup).deadMemberOf(groupId);
    if (memberId === undefined) return false;
    const link = await coordinators.linkOf(groupId);
    // The removal is refused if another member took its place in the meantime.
    return (await leaveGroup(link.shared(), groupId, memberId)) === CODE.NONE;
  } finally {
    cluster.close();
  }
}
