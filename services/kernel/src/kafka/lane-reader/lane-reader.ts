import { messageOf } from '../../errors.ts';
import { type Clock, systemClock, type Timer } from '../../time/clock.ts';
import { every } from '../../time/every.ts';
import type { MemberLease } from '../groups/membership.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import { offsetJumps } from '../metrics.ts';
import { CODE, codeName } from '../protocol-codes.ts';
import type { TopicPartition } from '../records.ts';
import { Cluster, type LedPartition, type TopicLeaders } from './brokers/cluster.ts';
import { Coordinators } from './brokers/coordinators.ts';
import { Together } from './brokers/together.ts';
import { Feeds } from './fetching/feeds.ts';
import type { LaneGroupOptions } from './group-options.ts';
import { LaneGroup, type LaneGroupContext } from './lane-group.ts';
import { GroupQuestions } from './members/group-questions.ts';
import { leaveGroup } from './members/group-requests.ts';
import { PresentMembers } from './members/present-member.ts';

export interface LaneReaderOptions {
  /** Tells whether this worker may act for its customers. */
  readonly lease: MemberLease;
  /** The group whose members are the workers: a worker that is not in it has lost its customers. */
  readonly workersGroup: string;
  /** The time that a running worker may take to finish requests in flight and leave a customer's group. */
  readonly handoverWithinMs: number;
  /**
   * The session time-out of the customers' groups. Default 45 s: the workers' group, whose session is short, decides
   * ownership.
   */
  readonly sessionTimeoutMs?: number;
  /** The interval of heartbeats. Default 15 s. A commit counts as one. */
  readonly heartbeatIntervalMs?: number;
  /** The interval at which all topics are checked for added partitions. Default 5 min. */
  readonly metadataMaxAgeMs?: number;
  /** The default is the system's clock. */
  readonly clock?: Clock;
}

const SESSION_TIMEOUT_MS = 45_000;
const HEARTBEAT_INTERVAL_MS = 15_000;
const METADATA_MAX_AGE_MS = 300_000;
const TICK_MS = 500;
/** The interval at which a lane's missing topic is looked up. */
const LOOK_FOR_MISSING_MS = 2_000;
const MAX_TOPICS = 1_000;

/**
 * Reads all lanes of all customers of a worker, with one fetch session per broker and a few connections to
 * coordinators, whatever the number of customers. docs/decisions/lane-reader.md says why.
 */
export class LaneReader {
  readonly #settings: KafkaSettings;
  readonly #options: LaneReaderOptions;
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #feeds: Feeds;
  readonly #coordinators: Coordinators;
  readonly #presentMembers: PresentMembers;
  readonly #context: LaneGroupContext;
  readonly #groups = new Set<LaneGroup>();
  readonly #told = new Set<string>();
  readonly #topics: Together<string, TopicLeaders>;
  #ticker: Timer | undefined;
  #lookedForMissingAtMs = 0;
  #lookedAtAllAtMs: number;
  #isLooking = false;

  constructor(settings: KafkaSettings, options: LaneReaderOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lookedAtAllAtMs = this.#clock.monotonicMs();
    this.#cluster = new Cluster(settings);
    this.#feeds = new Feeds(this.#cluster, settings.log, this.#clock);
    this.#coordinators = new Coordinators(this.#cluster);
    const questions = new GroupQuestions(this.#coordinators);
    this.#presentMembers = new PresentMembers(questions, options.workersGroup, this.#clock);
    this.#topics = new Together((topics) => this.#cluster.leaders(topics), MAX_TOPICS);
    this.#context = {
      feeds: this.#feeds,
      coordinators: this.#coordinators,
      presentMembers: this.#presentMembers,
      questions,
      lease: options.lease,
      clock: this.#clock,
      sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      handoverWithinMs: options.handoverWithinMs,
      partitionsOf: (topics) => this.#partitionsOf(topics),
      onJump: (groupId, at) => this.#reportJump(groupId, at),
      onClosed: (group) => this.#groups.delete(group),
    };
  }

  /** The number of lanes that are read, over all customers. */
  get laneCount(): number {
    return this.#feeds.size;
  }

  /** A customer's group; nothing happens before its `start`. */
  open(options: LaneGroupOptions): LaneGroup {
    const group = new LaneGroup(options, this.#context);
    this.#groups.add(group);
    this.#ticker ??= every(TICK_MS, () => this.#tick(), { clock: this.#clock });
    return group;
  }

  /**
   * Confirms the memberships of all groups. Call it when the lease has changed: until then nothing more is sent for
   * them.
   */
  checkLease(): void {
    for (const group of this.#groups) group.checkLease();
  }

  /**
   * Removes the member that a dead worker left in a group that this worker owns but does not run. It would count until
   * its session ends, and a rewind, which waits until the group is empty, would wait as long.
   * @returns whether there was one
   * @throws {KafkaPortError}
   */
  async evictDead(groupId: string): Promise<boolean> {
    const { lease } = this.#options;
    if (lease.memberId === undefined || !lease.isValid()) return false;
    const memberId = await this.#presentMembers.deadMemberOf(groupId, lease.memberId);
    if (memberId === undefined) return false;
    const link = await this.#coordinators.linkOf(groupId);
    // The removal is refused if another member took its place in the meantime.
    return (await leaveGroup(link.shared(), groupId, memberId)) === CODE.NONE;
  }

  /** Stops the remaining groups. */
  async stop(): Promise<void> {
    await Promise.all([...this.#groups].map((group) => group.stop()));
    this.#ticker?.cancel();
    this.#feeds.closeAll();
    this.#cluster.close();
  }

  #tick(): void {
    const intervalMs = this.#options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS;
    for (const group of this.#groups) {
      group.checkLease();
      group.beat(intervalMs);
    }
    void this.#lookForLanes();
  }

  /** Looks up lanes whose topic did not exist, and partitions that were added to a topic. */
  async #lookForLanes(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const isFull = nowMs - this.#lookedAtAllAtMs > (this.#options.metadataMaxAgeMs ?? METADATA_MAX_AGE_MS);
    if (this.#isLooking || (!isFull && nowMs - this.#lookedForMissingAtMs < LOOK_FOR_MISSING_MS)) return;
    this.#isLooking = true;
    this.#lookedForMissingAtMs = nowMs;
    if (isFull) this.#lookedAtAllAtMs = nowMs;
    try {
      const wanted = [...this.#groups].map((group) => [group, isFull ? group.topics : group.missingTopics] as const);
      const found = await this.#leaders([...new Set(wanted.flatMap(([, topics]) => topics))]);
      for (const [group, topics] of wanted) {
        const lanes = topics.flatMap((topic) => partitionsIn(topic, found));
        if (lanes.some((lane) => !group.reads(lane))) group.requestRejoin();
      }
    } catch (error) {
      this.#settings.log.info({ err: error }, `topic description failed; trying again: ${messageOf(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Groups that start at the same time share the request. */
  async #partitionsOf(topics: readonly string[]): Promise<LedPartition[]> {
    const found = await this.#leaders(topics);
    for (const topic of topics) this.#tellTrouble(topic, found.get(topic)?.errorCode ?? CODE.NONE);
    return topics.flatMap((topic) => partitionsIn(topic, found));
  }

  async #leaders(topics: readonly string[]): Promise<ReadonlyMap<string, TopicLeaders>> {
    const found = new Map<string, TopicLeaders>();
    const ask = async (topic: string) => {
      const leaders = await this.#topics.of(topic);
      if (leaders) found.set(topic, leaders);
    };
    await Promise.all(topics.map(ask));
    return found;
  }

  #tellTrouble(topic: string, code: number): void {
    if (code === CODE.NONE || code === CODE.UNKNOWN_TOPIC_OR_PARTITION || code === CODE.LEADER_NOT_AVAILABLE) {
      this.#told.delete(topic);
    } else if (!this.#told.has(topic)) {
      this.#told.add(topic);
      this.#settings.log.error(
        { event: 'lane_unreadable', topic, code: codeName(code) },
        'topic cannot be described; lane not read',
      );
    }
  }

  #reportJump(groupId: string, { topic, partition }: TopicPartition): void {
    const { log, registry } = this.#settings;
    const at = { groupId, topic, partition };
    log.error(
      { event: 'offset_out_of_range', ...at },
      'the committed offset is out of range: starting from the oldest record; records may have been lost',
    );
    if (registry) offsetJumps(registry).inc();
  }
}

function partitionsIn(topic: string, found: ReadonlyMap<string, TopicLeaders>): LedPartition[] {
  const { partitions = [], leaders } = found.get(topic) ?? {};
  return partitions.map((partition) => ({ topic, partition, leader: leaders?.get(partition) }));
}
