import kafkajs, {
  type PartitionAssigner as ClientAssigner,
  type MemberMetadata as MemberMetadataFields,
} from 'kafkajs';
import { keyOf, type TopicPartition } from '../records.ts';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;

export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  /**
   * The partitions that the member had in the previous generation and has kept; empty for a member that is new or was
   * removed.
   */
  readonly owned: readonly TopicPartition[];
}

/**
 * Decides how the partitions of a group are shared. All members of a group must offer an assigner of the same name; the
 * leader computes the assignment of all.
 */
export interface PartitionAssigner {
  /** Part of the group's protocol: change it if members of the old and the new kind cannot be mixed. */
  readonly name: string;
  /** Pure. Members are sorted by id; partitions by topic, then number. */
  assign(members: readonly GroupMember[], partitions: readonly TopicPartition[]): ReadonlyMap<string, TopicPartition[]>;
}

/**
 * Balanced within one partition, with as few moves as possible: members keep what they own up to their share. This
 * holds for members that subscribe to the same topics; others get what they can, without a guarantee of balance.
 */
export const stickyAssigner: PartitionAssigner = {
  name: 'databridge-sticky',
  assign(members, partitions) {
    const left = new Map(partitions.map((partition) => [keyOf(partition), partition]));
    const kept = members.map((member) => ({
      member,
      partitions: member.owned.filter((partition) => subscribes(member, partition) && left.delete(keyOf(partition))),
    }));

    // The members that own most keep the larger shares: any other choice would move one more.
    kept.sort((a, b) => b.partitions.length - a.partitions.length || compare(a.member.memberId, b.member.memberId));
    const share = Math.floor(partitions.length / members.length);
    const larger = partitions.length % members.length;
    for (const [at, { partitions: own }] of kept.entries()) {
      for (const shed of own.splice(share + (at < larger ? 1 : 0))) left.set(keyOf(shed), shed);
    }

    for (const partition of [...left.values()].sort(byTopicAndPartition)) {
      const takers = kept.filter(({ member }) => subscribes(member, partition));
      if (takers.length === 0) continue;
      takers.reduce((a, b) => (b.partitions.length < a.partitions.length ? b : a)).partitions.push(partition);
    }
    return new Map(kept.map(({ member, partitions: own }) => [member.memberId, own]));
  },
};

/**
 * One member gets everything, and the others stand by. The present owner remains the owner while it is there, so that a
 * new member moves nothing.
 */
export const oneMemberAssigner: PartitionAssigner = {
  name: 'databridge-one-member',
  assign(members, partitions) {
    const [owner] = [...members].sort((a, b) => b.owned.length - a.owned.length || compare(a.memberId, b.memberId));
    return new Map(
      members.map((member) => [
        member.memberId,
        member === owner ? partitions.filter((partition) => subscribes(member, partition)) : [],
      ]),
    );
  },
};

/**
 * The partitions that a member claims to own when it joins. `as` is the member id under which it owned them: a removed
 * member comes back under another id, and its claim is then void.
 */
interface Claim {
  readonly as: string;
  readonly owned: Readonly<Record<string, readonly number[]>>;
}

/** The consumer's information for its assigner when it joins. */
export interface JoinListener {
  /** Called once per attempt to join; returns what the member owned last, if it still is the same member. */
  joining(): { memberId: string; owned: readonly TopicPartition[] } | undefined;
}

/** Adapts an assigner to the interface of the client library. */
export function clientAssigner(assigner: PartitionAssigner, listener: JoinListener): ClientAssigner {
  return ({ cluster }) => ({
    name: assigner.name,
    version: 0,
    protocol({ topics }) {
      const last = listener.joining();
      const claim: Claim | undefined = last && { as: last.memberId, owned: byTopic(last.owned) };
      const userData = Buffer.from(claim === undefined ? '' : JSON.stringify(claim));
      return { name: assigner.name, metadata: MemberMetadata.encode({ version: 0, topics, userData }) };
    },
    async assign({ members, topics }) {
      const partitions = topics
        .flatMap((topic) => cluster.findTopicPartitionMetadata(topic).map((p) => ({ topic, partition: p.partitionId })))
        .sort(byTopicAndPartition);
      const assignment = assigner.assign(
        members
          .map(({ memberId, memberMetadata }) => toMember(memberId, MemberMetadata.decode(memberMetadata)))
          .sort((a, b) => compare(a.memberId, b.memberId)),
        partitions,
      );
      return members.map(({ memberId }) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: 0,
          assignment: byTopic(assignment.get(memberId) ?? []),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

function toMember(memberId: string, metadata: MemberMetadataFields | null): GroupMember {
  const claim = parseClaim(metadata?.userData);
  return {
    memberId,
    topics: metadata?.topics ?? [],
    owned:
      claim?.as === memberId
        ? Object.entries(claim.owned).flatMap(([topic, owned]) => owned.map((partition) => ({ topic, partition })))
        : [],
  };
}

/** Another release may encode claims in another way: then nothing is claimed, and more moves than necessary. */
function parseClaim(userData: Buffer | null | undefined): Claim | undefined {
  if (!userData || userData.length === 0) return undefined;
  try {
    const claim = JSON.parse(userData.toString()) as Claim;
    const isClaim = typeof claim.as === 'string' && Object.values(claim.owned).every((owned) => Array.isArray(owned));
    return isClaim ? claim : undefined;
  } catch {
    return undefined;
  }
}

function byTopic(partitions: readonly TopicPartition[]): Record<string, number[]> {
  const topics: Record<string, number[]> = {};
  for (const { topic, partition } of partitions) {
    topics[topic] ??= [];
    topics[topic].push(partition);
  }
  return topics;
}

function subscribes(member: GroupMember, { topic }: TopicPartition): boolean {
  return member.topics.includes(topic);
}

function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  return compare(a.topic, b.topic) || a.partition - b.partition;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
