import type { TopicSpec } from '@databridge/schemas/records/topics';
import kafkajs, { type Admin } from 'kafkajs';
import { JoinedCalls } from '../joined-calls.ts';
import { Backoff, KAFKA_BACKOFF } from '../time/backoff.ts';
import { systemClock } from '../time/clock.ts';
import { pause } from '../time/pause.ts';
import { groupFailure, isSettling, topicFailures } from './admin-failures.ts';
import { KafkaPortError, protocolErrorType, toPortError } from './errors.ts';
import { commitAsOnlyMember } from './groups/set-offsets.ts';
import { createKafka, type KafkaSettings } from './kafkajs/client.ts';
import { evictDeadMember } from './lane-reader/members/evict-dead.ts';
import type { CommittedOffset } from './records.ts';
import { requestsOf } from './topic-requests.ts';
import { isAsWanted, settingChangesOf, type TopicSettingChanges } from './topic-setting-changes.ts';

export interface TopicMismatch {
  readonly topic: string;
  /** The name of a setting, or `partitions`. */
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
}

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

const REPLICAS = 3;
/** With three replicas: a write survives the loss of one broker, and writes continue during it. */
const MIN_IN_SYNC = '2';
const LEADERS_WITHIN_MS = 30_000;
const POLL_EVERY_MS = 50;
const SETTLED_WITHIN_MS = 30_000;
/** Kafka's `ConfigSource.TOPIC_CONFIG`: the setting belongs to the topic itself, and is not inherited. */
const TOPICS_OWN: number = 1;

export interface EnsuredTopics {
  readonly created: string[];
  readonly mismatched: TopicMismatch[];
}

/** All requests to the cluster besides reading and writing. Every method throws a `KafkaPortError`. */
export class KafkaAdmin {
  readonly #settings: KafkaSettings;
  #client: Admin;
  #connecting: Promise<void> | undefined;
  readonly #listing = new JoinedCalls<never, string[]>(() => this.#call('list topics', (admin) => admin.listTopics()));
  #changing: Promise<unknown> = Promise.resolve();
  readonly #ensuring = new JoinedCalls<TopicSpec, EnsuredTopics>((specs) => this.#ensure(specs));

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#client = createKafka(settings, 'admin').admin();
  }

  async connect(): Promise<void> {
    await this.#call('connect', async () => {});
  }

  async disconnect(): Promise<void> {
    await this.#client.disconnect().catch(() => {});
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

  async #ensure(given: readonly TopicSpec[]): Promise<EnsuredTopics> {
    const specs = [...new Map(given.map((spec) => [spec.topic, spec])).values()];
    const { wanted, replicationFactor } = await this.#forThisCluster(specs);
    const existing = new Set(await this.listTopics());
    const missing = wanted.filter(({ topic }) => !existing.has(topic));
    const created: string[] = [];
    for (const few of requestsOf(missing)) created.push(...(await this.#create(few, replicationFactor)));
    const kept = wanted.filter(({ topic }) => !created.includes(topic));
    return { created, mismatched: await this.#mismatches(kept) };
  }

  /** Compares the topics with their specs. Changes nothing. */
  async differences(specs: readonly TopicSpec[]): Promise<{ missing: string[]; mismatched: TopicMismatch[] }> {
    const { wanted } = await this.#forThisCluster(specs);
    const existing = new Set(await this.listTopics());
    const missing = wanted.filter(({ topic }) => !existing.has(topic)).map(({ topic }) => topic);
    return { missing, mismatched: await this.#mismatches(wanted.filter(({ topic }) => existing.has(topic))) };
  }

  async #forThisCluster(specs: readonly TopicSpec[]): Promise<{ wanted: TopicSpec[]; replicationFactor: number }> {
    const brokers = (await this.#call('describe the cluster', (admin) => admin.describeCluster())).brokers.length;
    const replicationFactor = Math.min(REPLICAS, brokers);
    const wanted = specs.map((spec) => ({
      ...spec,
      config: replicationFactor === REPLICAS ? { 'min.insync.replicas': MIN_IN_SYNC, ...spec.config } : spec.config,
    }));
    return { wanted, replicationFactor };
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
    await this.#call('delete topics', async (admin) => {
      const failure = await admin.deleteTopics({ topics: doomed }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // An earlier call, whose answer was lost, has deleted it already.
      if (failure !== undefined && protocolErrorType(failure) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw failure;
    });
    await this.#until('the topics are gone', async () => {
      const left = new Set(await this.listTopics());
      return doomed.every((topic) => !left.has(topic));
    });
  }

  /** All offsets that the group has committed, in one request; partitions without one are not included. */
  async committedOffsets(groupId: string): Promise<CommittedOffset[]> {
    // With topic names, kafkajs looks up each of them: this takes minutes for a thousand groups.
    const topics = await this.#call('fetch offsets', (admin) => admin.fetchOffsets({ groupId }));
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
    const found = await this.#call(`fetch offsets of ${topic}`, (admin) => admin.fetchTopicOffsets(topic));
    return found
      .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** The first offset of each partition that was appended at that time or later; the end if there is none. */
  async offsetsAtTime(topic: string, timestampMs: number): Promise<{ partition: number; offset: number }[]> {
    const found = await this.#call(`fetch offsets of ${topic}`, (admin) =>
      // Kafka interprets a negative time as one of its special offsets.
      admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, timestampMs)),
    );
    return found
      .map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
      .sort((a, b) => a.partition - b.partition);
  }

  async groupState(groupId: string): Promise<GroupState> {
    const { groups } = await this.#call('describe the group', (admin) => admin.describeGroups([groupId]));
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
    await this.#call('delete the group', async (admin) => {
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

  /** The settings of the topics themselves, by name, without those that they inherit from the broker. */
  async topicSettings(topics: readonly string[]): Promise<Map<string, Record<string, string>>> {
    if (topics.length === 0) return new Map();
    const { resources } = await this.#call('describe topics', (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      }),
    );
    return new Map(
      resources.map(({ resourceName, configEntries }) => {
        const own = configEntries.filter(({ configSource }) => configSource === TOPICS_OWN);
        return [resourceName, Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]))];
      }),
    );
  }

  /**
   * Changes some of the topics' own settings and leaves the others. One call at a time: each reads all settings and writes
   * them again, so it resolves only when the brokers answer with the new ones.
   * @param changes null: the topic inherits the broker's value again
   * @param always also of topics that seem to have these values: another broker may know of a change before
   * @returns the topics that were changed
   */
  async changeTopicSettings(
    topics: readonly string[],
    changes: TopicSettingChanges,
    always = false,
  ): Promise<string[]> {
    const changing = this.#changing.then(() => this.#changeSettings(topics, changes, always));
    this.#changing = changing.catch(() => undefined);
    return await changing;
  }

  async #changeSettings(topics: readonly string[], changes: TopicSettingChanges, always: boolean): Promise<string[]> {
    const all = [...(await this.topicSettings(topics))];
    const found = new Map(all.filter(([, before]) => always || !isAsWanted(before, changes)));
    if (found.size === 0) return [];
    const resources = settingChangesOf(found, changes);
    await this.#call('change topic settings', (admin) => admin.alterConfigs({ validateOnly: false, resources }));
    await this.#until('the topics have their settings', async () => {
      const now = await this.topicSettings([...found.keys()]);
      return [...now.values()].every((settings) => isAsWanted(settings, changes));
    });
    return [...found.keys()];
  }

  async #create(specs: readonly TopicSpec[], replicationFactor: number): Promise<string[]> {
    const created = new Set(specs.map(({ topic }) => topic));
    const request = specs.map(({ topic, partitions, config }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    }));
    // The wait for leaders follows below: kafkajs waits for one topic at a time.
    const failures = await this.#call('create topics', (admin) =>
      admin
        .createTopics({ waitForLeaders: false, topics: request })
        .then((isAny) => (isAny ? [] : 'all exist'), topicFailures),
    );
    // Another client may create the same topics at this moment: those count as existing.
    if (failures === 'all exist') created.clear();
    else {
      for (const { error, topic } of failures) {
        if (protocolErrorType(error) !== 'TOPIC_ALREADY_EXISTS') throw toPortError(error, `create ${topic}`);
        created.delete(topic);
      }
    }
    const topics = specs.map(({ topic }) => topic);
    await this.#until('the topics have leaders', async () => {
      const found = await this.#client.fetchTopicMetadata({ topics });
      return found.topics.every(
        ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
      );
    });
    return [...created];
  }

  async #mismatches(specs: readonly TopicSpec[]): Promise<TopicMismatch[]> {
    if (specs.length === 0) return [];
    const topics = specs.map(({ topic }) => topic);
    const metadata = await this.#call('describe topics', (admin) => admin.fetchTopicMetadata({ topics }));
    const partitions = new Map(metadata.topics.map((found) => [found.name, found.partitions.length]));
    const { resources } = await this.#call('describe topics', (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: specs.map(({ topic, config }) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configNames: Object.keys(config),
        })),
      }),
    );
    const configs = new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
    return specs.flatMap(({ topic, partitions: wanted, config }) =>
      [
        { topic, setting: 'partitions', wanted: String(wanted), found: String(partitions.get(topic)) },
        ...Object.entries(config).map(([setting, value]) => ({
          topic,
          setting,
          wanted: value,
          found: configs.get(topic)?.get(setting) ?? '',
        })),
      ].filter((entry) => entry.wanted !== entry.found),
    );
  }

  async #call<T>(doing: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    const giveUpAtMs = systemClock.monotonicMs() + SETTLED_WITHIN_MS;
    const backoff = new Backoff(KAFKA_BACKOFF);
    for (let unknownTopics = 0; ; ) {
      const client = this.#client;
      let wasConnected = false;
      try {
        this.#connecting ??= client.connect();
        await this.#connecting;
        wasConnected = true;
        const answer = await ask(client);
        if (client !== this.#client) close(client);
        return answer;
      } catch (thrown) {
        const error = toPortError(thrown, doing);
        // Another request failed, and its failure closed the connections of this one.
        const isCutOff = client !== this.#client;
        if (!isCutOff) this.#renewClient();
        close(client);
        if ((isCutOff || (wasConnected && isSettling(thrown))) && systemClock.monotonicMs() < giveUpAtMs) {
          await pause(backoff.next());
          continue;
        }
        // kafkajs keeps requesting the metadata of topics that it was once asked about: one that was deleted fails
        // every later call.
        if (error.code !== 'DB_KAFKA_UNKNOWN_TOPIC' || ++unknownTopics === 2) throw error;
      }
    }
  }

  #renewClient(): void {
    this.#client = createKafka(this.#settings, 'admin').admin();
    this.#connecting = undefined;
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const giveUpAtMs = systemClock.monotonicMs() + LEADERS_WITHIN_MS;
    while (!(await isSo().catch(() => false))) {
      if (systemClock.monotonicMs() > giveUpAtMs)
        throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `timed out waiting until ${what}`);
      await pause(POLL_EVERY_MS);
    }
  }
}

/**
 * Closes a client that was replaced. Each request that ends on it does so: kafkajs repeats a request whose connection was
 * closed, over a new connection that would stay open otherwise.
 */
function close(client: Admin): void {
  client.disconnect().catch(() => undefined);
}
