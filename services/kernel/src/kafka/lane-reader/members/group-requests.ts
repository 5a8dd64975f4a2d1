import kafkajs from 'kafkajs';
import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import { wireRequest } from '../../kafkajs/wire-requests.ts';
import { CODE } from '../../protocol-codes.ts';
import type { CommittedOffset, TopicPartition } from '../../records.ts';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

/**
 * The single static member of each customer's group. A worker that joins under this name takes the place of the
 * previous one in one round trip, and without a rebalance.
 */
const INSTANCE_ID = 'delivery';
/** This name differs from that of the consumers of earlier releases: Kafka then refuses to mix the two. */
const PROTOCOL = 'databridge-fence';
const CONSUMER = 'consumer';

/** The information that a member of a customer's group gives to a worker that may want to take its place. */
export interface MemberClaim {
  /** The member id of its worker in the group that distributes the customers. */
  readonly worker: string;
}

export interface JoinedGroup {
  readonly errorCode: number;
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
}

/** @param memberId empty for a new member, which takes the place of the present one */
export async function joinGroup(
  connection: BrokerConnection,
  groupId: string,
  memberId: string,
  options: { claim: MemberClaim; topics: readonly string[]; sessionTimeoutMs: number },
): Promise<JoinedGroup> {
  const { claim, topics, sessionTimeoutMs } = options;
  const userData = Buffer.from(JSON.stringify(claim));
  // The topics keep the group's offsets from expiring while it is in use.
  const metadata = MemberMetadata.encode({ version: 0, topics: [...topics], userData });
  const wire = wireRequest<JoinedGroup>('JoinGroup', {
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs,
    memberId,
    groupInstanceId: INSTANCE_ID,
    protocolType: CONSUMER,
    groupProtocols: [{ name: PROTOCOL, metadata }],
  });
  return await connection.send(wire, 2 * sessionTimeoutMs);
}

/** @returns the error code, and the assignment that the group has now */
export async function syncGroup(
  connection: BrokerConnection,
  groupId: string,
  { generationId, memberId, leaderId }: JoinedGroup,
  lanes: readonly TopicPartition[],
): Promise<{ errorCode: number; assignment: TopicPartition[] }> {
  const memberAssignment = MemberAssignment.encode({
    version: 0,
    assignment: byTopic(lanes),
    userData: Buffer.alloc(0),
  });
  const wire = wireRequest<{ errorCode: number; memberAssignment: Buffer }>('SyncGroup', {
    groupId,
    generationId,
    memberId,
    groupInstanceId: INSTANCE_ID,
    groupAssignment: leaderId === memberId ? [{ memberId, memberAssignment }] : [],
  });
  const answer = await connection.send(wire);
  return { errorCode: answer.errorCode, assignment: decodeAssignment(answer.memberAssignment) };
}

export async function heartbeat(
  connection: BrokerConnection,
  groupId: string,
  { generationId, memberId }: Pick<JoinedGroup, 'generationId' | 'memberId'>,
): Promise<number> {
  const wire = wireRequest<{ errorCode: number }>('Heartbeat', {
    groupId,
    groupGenerationId: generationId,
    memberId,
    groupInstanceId: INSTANCE_ID,
  });
  return (await connection.send(wire)).errorCode;
}

/** @param memberId empty: the current member */
export async function leaveGroup(connection: BrokerConnection, groupId: string, memberId: string): Promise<number> {
  const wire = wireRequest<{ errorCode: number; members: { errorCode: number }[] }>('LeaveGroup', {
    groupId,
    memberId,
    groupInstanceId: INSTANCE_ID,
  });
  const { errorCode, members } = await connection.send(wire);
  return errorCode !== CODE.NONE ? errorCode : (members[0]?.errorCode ?? CODE.NONE);
}

export async function commitOffsets(
  connection: BrokerConnection,
  groupId: string,
  { generationId, memberId }: Pick<JoinedGroup, 'generationId' | 'memberId'>,
  offsets: readonly CommittedOffset[],
): Promise<(TopicPartition & { errorCode: number })[]> {
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([topic, of]) => ({
    topic,
    partitions: of.map(({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata })),
  }));
  const wire = wireRequest<{
    responses: { topic: string; partitions: { partition: number; errorCode: number }[] }[];
  }>('OffsetCommit', { groupId, groupGenerationId: generationId, memberId, topics });
  const { responses } = await connection.send(wire);
  return responses.flatMap(({ topic, partitions }) => partitions.map((one) => ({ topic, ...one })));
}

export interface DescribedGroup {
  readonly errorCode: number;
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly claim: MemberClaim | undefined;
  }[];
}

/** Describes several groups of one coordinator in one request. */
export async function describeGroups(
  connection: BrokerConnection,
  groupIds: readonly string[],
): Promise<Map<string, DescribedGroup>> {
  const wire = wireRequest<{
    groups: {
      errorCode: number;
      groupId: string;
      state: string;
      members: { memberId: string; clientId: string; memberMetadata: Buffer | null }[];
    }[];
  }>('DescribeGroups', { groupIds: [...groupIds] });
  const { groups } = await connection.send(wire);
  return new Map(
    groups.map(({ errorCode, groupId, state, members }) => {
      const described = members.map(({ memberId, clientId, memberMetadata }) => {
        return { memberId, clientId, claim: decodeClaim(memberMetadata) };
      });
      return [groupId, { errorCode, state, members: described }];
    }),
  );
}

function decodeClaim(metadata: Buffer | null): MemberClaim | undefined {
  try {
    const { userData } = (metadata && MemberMetadata.decode(metadata)) ?? {};
    const claim = JSON.parse(String(userData)) as Partial<MemberClaim> | null;
    return typeof claim?.worker === 'string' ? { worker: claim.worker } : undefined;
  } catch {
    // Another kind of member: one of an earlier release, or a tool.
    return undefined;
  }
}

function decodeAssignment(bytes: Buffer | null): TopicPartition[] {
  if (!bytes || bytes.length === 0) return [];
  const assignment = MemberAssignment.decode(bytes)?.assignment ?? {};
  return Object.entries(assignment).flatMap(([topic, of]) => of.map((partition) => ({ topic, partition })));
}

function byTopic(lanes: readonly TopicPartition[]): Record<string, number[]> {
  // Without a prototype: V8 would make another hidden class for each new topic's name.
  const topics: Record<string, number[]> = Object.create(null);
  for (const { topic, partition } of lanes) {
    topics[topic] ??= [];
    topics[topic].push(partition);
  }
  return topics;
}
