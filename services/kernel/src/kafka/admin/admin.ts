import type { TopicSpec } from '@databridge/schemas/records/topics';
import { JoinedCalls } from '../../joined-calls.ts';
import { KafkaPortError, protocolErrorType } from '../errors.ts';
import { commitAsOnlyMember } from '../groups/set-offsets.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import { evictDeadMember } from '../lane-reader/members/evict-dead.ts';
import type { CommittedOffset } from '../records.ts';
import { AdminClient } from './admin-client.ts';
import { groupFailure } from './admin-failures.ts';
import { type EnsuredTopics, TopicCreation, type TopicMismatch } from './topic-creation.ts';
import type { TopicSettingChanges } from './topic-setting-changes.ts';
import { TopicSettings } from './topic-settings.ts';

export interface Watermarks {
  readonly partition: number;
  /** The offset of the oldest record that still exists, or `high` if there is none. */
  readonly low: number;
  /** One past the offset of the newest record. */
  readonly high: number;
}

export interface GroupState {
  /** The state in the broker's words; `Dead` also for a group that never existed. */
  readonly state: 'Unknown' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead' | 'Empty';
  readonly members: readonly { readonly memberId: string; readonly clientId: string; readonly clientHost: string }[];
}

/** All requests to the cluster besides reading and writing. Every method throws a `KafkaPortError`. */
export class KafkaAdmin {
  readonly #settings: KafkaSettings;
  readonly #client: AdminClient;
  readonly #creation: TopicCreation;
  readonly #topicSettings: TopicSettings;
  readonly #listing: JoinedCalls<never, string[]>;
  readonly #ensuring: JoinedCalls<TopicSpec, EnsuredTopics>;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    const client = new AdminClient(settings);
    this.#client = client;
    this.#listing = new JoinedCalls(() => client.call('list topics', (admin) => admin.listTopics()));
    this.#creation = new TopicCreation(client, () => this.listTopics());
    this.#topicSettings = new TopicSettings(client);
    this.#ensuring = new JoinedCalls((specs) => this.#creation.ensure(specs));
  }

  async connect(): Promise<void> {
    await this.#client.call('connect', async () => {});
  }

  async disconnect(): Promise<void> {
    await this.#client.disconnect();
  }

  /**
   * Creates the missing topics: replication 3 and `min.insync.replicas` 2 where there are three brokers or more, unless
   * the spec says so itself. Existing topics are left as they are, and reported if they differ. Calls that come while
   * one is in progress are made together: for hundreds of customers it takes no longer than for a few.
   */
  async ensureTopics(specs: readonly TopicSpec[]): Promise<EnsuredTopics> {
    if (specs.length === 0) return { created: [], mismatched: [] };
    const { created, mismatched } = await this.#ensuring.run(specs);
    const mine = new Set(specs.map(({ topic }) => topic));
    return {
      created: created.filter((topic) => mine.has(topic)),
      mismatched: mismatched.filter(({ topic }) => mine.has(topic)),
    };
  }

  /** Compares the topics with their specs. Changes nothing. */
  async differences(specs: readonly TopicSpec[]): Promise<{ missing: string[]; mismatched: TopicMismatch[] }> {
    return await this.#creation.differences(specs);
  }

  async listTopics(): Promise<string[]> {
    return await this.#listing.run([]);
  }

  /**
   * Deletes the topics; those that don't exist are skipped. Their consumers must have disconnected: they would crash
   * repeatedly.
   */
  async deleteTopics(topics: readonly string[]): Promise<void> {
    const existing = new Set(await this.listTopics());
    const doomed = topics.filter((topic) => existing.has(topic));
    if (doomed.length === 0) return;
    await this.#client.call('delete topics', async (admin) => {
      const failure = await admin.deleteTopics({ topics: doomed }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // An earlier call, whose answer was lost, has deleted it already.
      if (failure !== undefined && protocolErrorType(failure) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw failure;
    });
    await this.#client.until('the topics are gone', async () => {
      const left = new Set(await this.listTopics());
      return doomed.every((topic) => !left.has(topic));
    });
  }

  /** The settings of the topics themselves, by name, without those that they inherit from the broker. */
  async topicSettings(topics: readonly string[]): Promise<Map<string, Record<string, string>>> {
    return await this.#topicSettings.read(topics);
  }

  /** As `TopicSettings.change`. */
  async changeTopicSettings(
    topics: readonly string[],
    changes: TopicSettingChanges,
    always = false,
  ): Promise<string[]> {
    return await this.#topicSettings.change(topics, changes, always);
  }

  /** All offsets that the group has committed, in one request; partitions without one are not included. */
  async committedOffsets(groupId: string): Promise<CommittedOffset[]> {
    // With topic names, kafkajs looks up each of them: this takes minutes for a thousand groups.
    const topics = await this.#client.call('fetch offsets', (admin) => admin.fetchOffsets({ groupId }));
    return topics
      .flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset, metadata }) => ({
          topic,
          partition,
          offset: Number(offset),
          metadata: metadata ?? '',
        })),
      )
      .filter(({ offset }) => offset >= 0); // kafkajs itself commits -2 if an offset was out of range.
  }

  async watermarks(topic: string): Promise<Watermarks[]> {
    const found = await this.#client.call(`fetch offsets of ${topic}`, (admin) => admin.fetchTopicOffsets(topic));
    return found
      .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** The first offset of each partition that was appended at that time or later; the end if there is none. */
  async offsetsAtTime(topic: string, timestampMs: number): Promise<{ partition: number; offset: number }[]> {
    const found = await this.#client.call(`fetch offsets of ${topic}`, (admin) =>
      // Kafka interprets a negative time as one of its special offsets.
      admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, timestampMs)),
    );
    return found
      .map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
      .sort((a, b) => a.partition - b.partition);
  }

  async groupState(groupId: string): Promise<GroupState> {
    const { groups } = await this.#client.call('describe the group', (admin) => admin.describeGroups([groupId]));
    const [group] = groups;
    if (!group) return { state: 'Dead', members: [] };
    const members = group.members.map(({ memberId, clientId, clientHost }) => ({ memberId, clientId, clientHost }));
    return { state: group.state, members };
  }

  /** As `evictDeadMember` (lane-reader/evict-dead.ts). */
  async evictDeadMember(groupId: string, workersGroup: string): Promise<boolean> {
    return await evictDeadMember(this.#settings, groupId, workersGroup);
  }

  /**
   * Deletes a group with its offsets. A group that does not exist is skipped.
   * @throws {KafkaPortError} `DB_KAFKA_GROUP_ACTIVE`
   */
  async deleteGroup(groupId: string): Promise<void> {
    await this.#client.call('delete the group', async (admin) => {
      const failure = await admin.deleteGroups([groupId]).then(() => undefined, groupFailure);
      if (failure !== undefined && protocolErrorType(failure) !== 'GROUP_ID_NOT_FOUND') throw failure;
    });
  }

  /**
   * Commits for a group that has no members, metadata included, in some 100 ms. (The method of kafkajs takes 5 s per
   * topic and clears the metadata.)
   *
   * @throws {KafkaPortError} `DB_KAFKA_GROUP_ACTIVE` when the group has members; nothing is changed then
   */
  async setOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const { state } = await this.groupState(groupId);
    if (state !== 'Empty' && state !== 'Dead') {
      throw new KafkaPortError('DB_KAFKA_GROUP_ACTIVE', `set offsets: group ${groupId} is ${state}`);
    }
    await commitAsOnlyMember(this.#settings, groupId, offsets);
  }
}
