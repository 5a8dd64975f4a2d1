import { KafkaPortError } from '../../errors.ts';
import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import { CODE, codeName, isFenced } from '../../protocol-codes.ts';
import { isSamePartitions, type TopicPartition } from '../../records.ts';
import { type JoinedGroup, joinGroup, syncGroup } from './group-requests.ts';

export interface PlaceRequest {
  readonly groupId: string;
  /** Empty for a new member, which takes the place of the present one. */
  readonly memberId: string;
  /** Our own member id among the workers. */
  readonly worker: string;
  readonly topics: readonly string[];
  readonly assignment: readonly TopicPartition[];
  readonly sessionTimeoutMs: number;
}

/** Either the place in the group, or the code that says why it is not ours. */
export type Place =
  | { readonly kind: 'taken'; readonly joined: JoinedGroup }
  | { readonly kind: 'refused'; readonly code: number };

/** The number of joins for the metadata that tools show as ours; it is not worth more. */
const MAX_JOINS = 3;

/**
 * Takes the single place in a customer's group, or keeps it. Committed offsets must be read after that, when nobody
 * else can commit any more.
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
    // A member that takes the place over gets the previous assignment: the second join makes the group accept ours.
    if (!isRebalancing && (isSamePartitions(synced.assignment, assignment) || joins >= MAX_JOINS)) {
      return { kind: 'taken', joined };
    }
    asMember = joined.memberId;
  }
}

/** The error for an answer to a request about a group. It is temporary, unless a right is missing. */
export function groupFailure(doing: string, code: number): KafkaPortError {
  const isRefused = code === CODE.GROUP_AUTHORIZATION_FAILED || code === CODE.TOPIC_AUTHORIZATION_FAILED;
  return new KafkaPortError(isRefused ? 'DB_KAFKA_REFUSED' : 'DB_KAFKA_UNAVAILABLE', `${doing}: ${codeName(code)}`);
}
