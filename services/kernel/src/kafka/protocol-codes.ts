/** Kafka's protocol error codes that the lane reader tells apart. */
export const CODE = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  OFFSET_METADATA_TOO_LARGE: 12,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC: 17,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  UNKNOWN_MEMBER_ID: 25,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  KAFKA_STORAGE_ERROR: 56,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  INVALID_FETCH_SESSION_EPOCH: 71,
  FENCED_INSTANCE_ID: 82,
  FETCH_SESSION_TOPIC_ID_ERROR: 106,
} as const;

const NAMES = new Map<number, string>(Object.entries(CODE).map(([name, code]) => [code, name]));

/** The protocol's own name, for log lines and messages. */
export function codeName(code: number): string {
  return NAMES.get(code) ?? `error code ${code}`;
}

/** Another broker coordinates the group by now, or none does at present: look up the coordinator again. */
export function isCoordinatorMove(code: number): boolean {
  return (
    code === CODE.NOT_COORDINATOR ||
    code === CODE.COORDINATOR_NOT_AVAILABLE ||
    code === CODE.COORDINATOR_LOAD_IN_PROGRESS
  );
}

/** The group does not know this member any more, or knows another one in its place. */
export function isFenced(code: number): boolean {
  return code === CODE.UNKNOWN_MEMBER_ID || code === CODE.FENCED_INSTANCE_ID || code === CODE.ILLEGAL_GENERATION;
}

/** The broker has no such fetch session, or is at another epoch of it: start a new one. */
export function isSessionLost(code: number): boolean {
  return (
    code === CODE.FETCH_SESSION_ID_NOT_FOUND ||
    code === CODE.INVALID_FETCH_SESSION_EPOCH ||
    code === CODE.FETCH_SESSION_TOPIC_ID_ERROR
  );
}
