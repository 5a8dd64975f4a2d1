import { pause } from '../../time/pause.ts';
import type { Membership } from '../groups/membership.ts';
import { type CommittedOffset, keyOf, type TopicPartition } from '../records.ts';
import type { Feeds } from './fetching/feeds.ts';
import { GroupFeeds } from './fetching/group-feeds.ts';
import type { LaneGroupOptions } from './group-options.ts';
import type { FencedMembership } from './members/fenced-membership.ts';
import { GroupMember, type GroupMemberContext } from './members/group-member.ts';

/** The resources that the groups of a reader share. */
export interface LaneGroupContext extends GroupMemberContext {
  readonly feeds: Feeds;
  onJump(groupId: string, at: TopicPartition): void;
  onClosed(group: LaneGroup): void;
}

const FIND_LATER_AFTER_MS = 2_000;

/** One customer's group: the lanes that are read for it while this worker is its member. */
export class LaneGroup {
  readonly #options: LaneGroupOptions;
  readonly #with: LaneGroupContext;
  readonly #member: GroupMember;
  readonly #feeds: GroupFeeds;
  readonly #topics: Set<string>;
  readonly #laterTopics: Set<string>;

  constructor(options: LaneGroupOptions, context: LaneGroupContext) {
    this.#options = options;
    this.#with = context;
    this.#topics = new Set(options.topics);
    this.#laterTopics = new Set(options.laterTopics);
    this.#feeds = new GroupFeeds(context.feeds, {
      onBatch: (batch) => this.#options.onBatch(batch),
      onJump: (at, _from, to) => {
        this.#with.onJump(options.groupId, at);
        this.#options.onJump({ topic: at.topic, partition: at.partition }, to);
      },
      onReturned: (at, position) => this.#positionAfterReturn(at, position),
    });
    this.#member = new GroupMember(
      {
        groupId: options.groupId,
        log: options.log,
        firstTopics: () => [...this.#topics],
        topics: () => this.topics,
        onJoined: (membership, committed) => this.#onJoined(membership, committed),
        onLost: (membership) => this.#options.onLost(membership),
        onOut: () => this.#feeds.closeAll(),
      },
      context,
    );
  }

  get groupId(): string {
    return this.#options.groupId;
  }

  /** Topics of which no partition is read yet. */
  get missingTopics(): string[] {
    if (!this.#member.isJoined) return [];
    const read = this.#feeds.topics;
    return [...this.#topics].filter((topic) => !read.has(topic));
  }

  reads(at: TopicPartition): boolean {
    return this.#feeds.has(at);
  }

  /** All topics that are read, or would be if they existed. */
  get topics(): string[] {
    return [...new Set([...this.#topics, ...this.#laterTopics])];
  }

  /**
   * Resolves at the first membership; it keeps trying until then.
   * @throws what `signal` was aborted with; the group must then be stopped
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#member.start(signal);
  }

  /** Ends the membership at once, and leaves the group. The caller commits before. */
  async stop(): Promise<void> {
    if (await this.#member.stop()) this.#with.onClosed(this);
  }

  /** Partitions that are not read are skipped. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#feeds.pause(partitions);
  }

  /** Takes effect with the next fetch: within 250 ms, or 20 ms if it was paused a moment ago. */
  resume(partitions: readonly TopicPartition[]): void {
    this.#feeds.resume(partitions);
  }

  /** The next fetch of the partition begins there, and the result of the current one is dropped. */
  seek(at: TopicPartition, offset: number): void {
    this.#feeds.seek(at, offset);
  }

  /** Adds topics, which exist: they are read once the group knows of them. */
  addTopics(topics: readonly string[]): void {
    for (const topic of topics) this.#topics.add(topic);
    this.requestRejoin();
  }

  /** Joins the group again to report a change: of its lanes, or of the worker's own membership. */
  requestRejoin(): void {
    this.#member.requestRejoin();
  }

  /** Joins again if the worker's membership of its own group has changed: our place may be taken. */
  checkLease(): void {
    this.#member.checkLease();
  }

  /** Sends a heartbeat if nothing has confirmed the membership for this long. */
  beat(intervalMs: number): void {
    this.#member.beat(intervalMs);
  }

  /** Commits as the member. @throws {KafkaPortError} as `MemberRequests.commit` says */
  async commit(of: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#member.commit(of, offsets);
  }

  #onJoined(membership: FencedMembership, committed: readonly CommittedOffset[]): void {
    this.#feeds.openAll(membership.assignment, this.#options.onJoined(membership, committed));
    if (membership.continues === undefined) void this.#findLaterLanes();
  }

  /** Finds the lanes that the member before us created. Retries wait in them anyway: other groups may start first. */
  async #findLaterLanes(): Promise<void> {
    await pause(FIND_LATER_AFTER_MS, { clock: this.#with.clock, signal: this.#member.stopping });
    const lanes = await this.#with.partitionsOf(this.topics).catch(() => undefined);
    if (lanes?.every((lane) => this.reads(lane)) !== true) this.requestRejoin();
  }

  /** A topic that was deleted and created again has lost its offset in the group; an unavailable one has not. */
  async #positionAfterReturn(at: TopicPartition, position: number): Promise<number> {
    const offsets = await this.#with.questions.committed(this.groupId);
    return offsets.some((one) => keyOf(one) === keyOf(at)) ? position : 0;
  }
}
