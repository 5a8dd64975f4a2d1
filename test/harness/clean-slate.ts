import { setTimeout as delay } from 'node:timers/promises';
import { CONTROL_PLANE_GROUP, FAN_OUT_GROUP, systemTopics } from '@databridge/schemas/records/topics';
import { Admin as MemberAdmin } from '@platformatic/kafka';
import type { Admin } from 'kafkajs';
import { eventually } from './eventually.ts';
import { upstreamKafka } from './kafka/upstream-kafka.ts';
import { platform } from './platform.ts';

const MAX_WAIT_MS = 120_000;

/** Every file of `test/flow` and `test/journeys` starts without subscriptions, customers and groups of those before it. */
beforeAll(async () => {
  await cleanSlate();
}, 2 * MAX_WAIT_MS);

/** Deletes the topics and groups of the service itself; topics with names of the tests' own stay. */
export async function cleanSlate(): Promise<void> {
  const admin = upstreamKafka(platform().brokers).admin();
  await admin.connect();
  try {
    const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(isOurGroup);
    await deleteGroups(admin, groups);
    const system = new Set(systemTopics().map(({ topic }) => topic));
    const topics = (await admin.listTopics()).filter((topic) => system.has(topic) || topic.startsWith('delivery.'));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    // A broker shows them for a moment longer: who starts then would not make them anew.
    const doomed = new Set(topics);
    await eventually(
      () => admin.listTopics(),
      (left) => !left.some((topic) => doomed.has(topic)),
    );
  } finally {
    await admin.disconnect();
  }
}

function isOurGroup(groupId: string): boolean {
  return groupId === FAN_OUT_GROUP || groupId === CONTROL_PLANE_GROUP || groupId.startsWith('delivery');
}

/** A worker that was killed counts as a member of its group until its session times out: nobody waits for that. */
async function removeMembers(admin: Admin, groups: string[]): Promise<void> {
  if (groups.length === 0) return;
  const described = (await admin.describeGroups(groups)).groups;
  const inhabited = described.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId);
  if (inhabited.length === 0) return;
  // kafkajs can't remove the members of others.
  const remover = new MemberAdmin({ clientId: 'clean-slate', bootstrapBrokers: platform().brokers });
  try {
    // A member may leave by itself in this moment, and removing it is then refused: the group is asked about again.
    await Promise.allSettled(inhabited.map((groupId) => remover.removeMembersFromConsumerGroup({ groupId })));
  } finally {
    await remover.close();
  }
}

async function deleteGroups(admin: Admin, groups: string[]): Promise<void> {
  const deadlineMs = performance.now() + MAX_WAIT_MS;
  let left = groups;
  while (left.length > 0) {
    await removeMembers(admin, left);
    const results = await admin.deleteGroups(left).catch((error: { groups?: { groupId: string }[] }) => {
      if (!error.groups || performance.now() > deadlineMs) throw error;
      return error.groups.map(({ groupId }) => ({ groupId, failed: true }));
    });
    left = results.filter((result) => 'failed' in result).map(({ groupId }) => groupId);
    if (left.length > 0) await delay(250);
  }
}
