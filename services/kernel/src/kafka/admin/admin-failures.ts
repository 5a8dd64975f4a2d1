/** Interprets failures of kafkajs's admin client. */
import { protocolErrorType } from '../errors.ts';

/**
 * Errors that pass while brokers start, stop or move leaders. A broker that has just started creates the groups' own
 * topic at the first request about a group, and knows each group's coordinator only seconds later: kafkajs's five tries
 * may end before. For a leader that moved, it tries only once.
 */
const SETTLING_TYPES = new Set([
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_LOAD_IN_PROGRESS',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
]);

/**
 * Errors of a request over a connection that was open: a broker that stops closes or resets it, or is not found at its
 * address. Repeating the request is safe: each call states the wanted result, or only reads. For a partition without a
 * leader, kafkajs may omit the answer and then fail on that.
 */
export function isSettling(thrown: unknown): boolean {
  if (SETTLING_TYPES.has(protocolErrorType(thrown) ?? '') || thrown instanceof TypeError) return true;
  for (let e = thrown; e instanceof Error; e = e.cause) if (e.name.startsWith('KafkaJSConnection')) return true;
  return false;
}

/** @throws the error if it is not a list of failures by topic */
export function topicFailures(thrown: unknown): { error: unknown; topic: string }[] {
  for (let e = thrown; e instanceof Error; e = e.cause) {
    if (!('errors' in e) || !Array.isArray(e.errors)) continue;
    return e.errors.map((error: { topic: string }) => ({ error, topic: error.topic }));
  }
  throw thrown;
}

/** The first of the failures by group that kafkajs collects. */
export function groupFailure(thrown: unknown): unknown {
  for (let e = thrown; e instanceof Error; e = e.cause) {
    if ('groups' in e && Array.isArray(e.groups)) return (e.groups as { error?: unknown }[])[0]?.error ?? thrown;
  }
  return thrown;
}
