import { KafkaPortError } from '../../errors.ts';
import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import { CODE, codeName, isFenced } from '../../protocol-codes.ts';
import { isSamePartitions, type TopicPartition } from '../../records.ts';
import { type JoinedGroup, joinGroup, syncGroup } from './group-requests.ts';

export interface PlaceRequest {
  readonly groupId: string;
  /** Empty: as a new member, in the place of the present one. */
  readonly memberId: string;
  /** Our own member id among the workers. */
  readonly worker: string;
  readonly topics: readonly string[];
  readonly assignment: readonly TopicPartition[];
  readonly sessionTimeoutMs: number;
}

/** Either the place in the group, or the code that says whose it is now. */
export type Place =
  | { readonly kind: 'taken'; readonly joined: JoinedGroup }
  | { readonly kind: 'refused'; readonly code: number };

/** What tools show as ours is not worth more than a few joins. */
const MAX_JOINS = 3;

/**
 * Takes the one place in a customer's group, or keeps it. What is committed is to be read after that: nobody else can
 * commit any more.
 * @throws {KafkaPortError}
 */
export async function takePlace(connection: BrokerConnection, request: PlaceRequest): Promise<Place> {
  const { groupId, worker, topics, assignment, sessionTimeoutMs } = request;
  let asMember = request.memberId;
  for (let joins = 1; ; joins++) {
    const joined = await joinGroup(connection, groupId, asMember, { claim: { worker }, topics, sessionTimeoutMs });
    if (isFenced(joined.errorCode) || joined.errorCode === CODE.INCONSISTENT_GROUP_PROTOCOL) {
      return { kind: 'refused', code: joined.errorCode };
    }
    if (joined.errorCode !== CODE.NONE) throw groupFailure('join', joined.errorCode);
    const synced = await syncGroup(connection, groupId, joined, assignment);
    if (isFenced(synced.errorCode)) return { kind: 'refused', code: synced.errorCode };
    const isRebalancing = synced.errorCode === CODE.REBALANCE_IN_PROGRESS;
    if (synced.errorCode !== CODE.NONE && !isRebalancing) throw groupFailure('sync', synced.errorCode);
    // Whoever takes a place over gets the assignment of before: the second join has the group take ours.
    if (!isRebalancing && (isSamePartitions(synced.assignment, assignment) || joins >= MAX_JOINS)) {
      return { kind: 'taken', joined };
    }
    asMember = joined.memberId;
  }
}

/** An answer to a request about a group that is temporary, unless a right is missing. */
export function groupFailure(doing: string, code: number): KafkaPortError {
  const isRefused = code === CODE.GROUP_AUTHORIZATION_FAILED || code === CODE.TOPIC_AUTHORIZATION_FAILED;
  return new KafkaPortError(isRefused ? 'DB_KAFKA_REFUSED' : 'DB_KAFKA_UNAVAILABLE', `${doing}: ${codeName(code)}`);
}
