import { pause } from '../../time/pause.ts';
import { KafkaPortError, toPortError } from '../errors.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import type { CommittedOffset } from '../records.ts';
import { GroupConsumer } from './group-consumer.ts';
import type { Membership } from './membership.ts';

/** The time limit of joining an idle group, which takes a few round trips. */
const JOIN_WITHIN_MS = 10_000;

/**
 * Joins a group for a moment to commit for it: only then does kafkajs keep the commit's metadata.
 * @throws {KafkaPortError} `DB_KAFKA_GROUP_ACTIVE` if another member joined in the meantime; nothing is changed then
 */
export async function commitAsOnlyMember(
  settings: KafkaSettings,
  groupId: string,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  const done = Promise.withResolvers<void>();
  const commit = async (membership: Membership): Promise<void> => {
    // Nothing may be fetched: for an offset out of range, kafkajs would commit another one by itself.
    consumer.pause(membership.assignment);
    await consumer.commit(membership, offsets);
  };
  const consumer = new GroupConsumer(settings, {
    groupId,
    topics: [...new Set(offsets.map(({ topic }) => topic))],
    maxWaitMs: 100,
    onJoined: (membership) => void commit(membership).then(done.resolve, done.reject),
    onLost: () => {},
    onBatch: () => {},
    onFailure: (error) => done.reject(toPortError(error, 'set offsets')),
  });
  const overdue = pause(JOIN_WITHIN_MS, { isBackground: true }).then(() => {
    throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `set offsets: could not join group ${groupId}`);
  });
  overdue.catch(() => {});
  try {
    // biome-ignore lint/plugin: all are made for this call.
    await Promise.race([consumer.start().then(() => done.promise), done.promise, overdue]);
  } catch (error) {
    // Another member joined in the meantime, and got some or all of the partitions.
    const lost =
      error instanceof KafkaPortError && ['DB_KAFKA_NOT_ASSIGNED', 'DB_KAFKA_MEMBERSHIP_LOST'].includes(error.code);
    throw lost ? new KafkaPortError('DB_KAFKA_GROUP_ACTIVE', `set offsets: group ${groupId} is in use`) : error;
  } finally {
    done.promise.catch(() => {});
    await consumer.stop();
  }
}
