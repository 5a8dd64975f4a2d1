import { messageOf } from '../../errors.ts';
import { StateMachine } from '../../state-machine.ts';
import { backoffMs, KAFKA_BACKOFF } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/pause.ts';
import { retry } from '../../time/retry.ts';
import { KafkaPortError, toPortError } from '../errors.ts';
import { assertCommittable } from '../groups/committable.ts';
import type { MemberLease, Membership } from '../groups/membership.ts';
import { CODE, codeName, isCoordinatorMove, isFenced } from '../protocol-codes.ts';
import { type CommittedOffset, keyOf, type TopicPartition } from '../records.ts';
import type { Coordinators } from './brokers/coordinators.ts';
import type { Feeds } from './fetching/feeds.ts';
import { GroupFeeds } from './fetching/group-feeds.ts';
import type { LaneGroupOptions } from './group-options.ts';
import { FencedMembership, GROUP_TRANSITIONS, type GroupState } from './members/fenced-membership.ts';
import { commitOnce } from './members/group-commit.ts';
import { type PlaceRequest, takePlace } from './members/group-place.ts';
import type { GroupQuestions } from './members/group-questions.ts';
import { heartbeat, type JoinedGroup, leaveGroup } from './members/group-requests.ts';
import { Handover, type Holders } from './members/holder.ts';

/** The resources that the groups of a reader share. */
export interface LaneGroupContext {
  readonly feeds: Feeds;
  readonly coordinators: Coordinators;
  readonly holders: Holders;
  readonly questions: GroupQuestions;
  readonly lease: MemberLease;
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
  readonly handoverWithinMs: number;
  /** The partitions of the topics that exist. */
  partitionsOf(topics: readonly string[]): Promise<TopicPartition[]>;
  onJump(groupId: string, at: TopicPartition): void;
  onClosed(group: LaneGroup): void;
}

const COMMIT_ATTEMPTS = 5;
/** The delay until the next check whether the worker that owns the group has left it. */
const LOOK_AGAIN_AFTER_MS = 100;
const FENCED_PAUSE_MS = 200;
const FIND_LATER_AFTER_MS = 2_000;
/** The longest wait of a stop for an unreachable coordinator; the session then ends by itself. */
const LEAVE_WITHIN_MS = 3_000;

/**
 * One customer's group, of which this worker is the one static member while it runs the customer. The membership is a
 * fence, not an assignment: a worker that joins later takes our place, and our commits are refused from then on.
 */
export class LaneGroup {
  readonly #options: LaneGroupOptions;
  readonly #with: LaneGroupContext;
  readonly #states: StateMachine<GroupState>;
  readonly #feeds: GroupFeeds;
  readonly #handover: Handover;
  readonly #topics: Set<string>;
  readonly #laterTopics: Set<string>;
  readonly #heldOnce = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  #membership: FencedMembership | undefined;
  #running: Promise<void> | undefined;
  #wake = Promise.withResolvers<void>();
  /** When the group last confirmed the membership, by the time when we sent the request (monotonic ms). */
  #confirmedAtMs = 0;
  #isBeating = false;

  constructor(options: LaneGroupOptions, context: LaneGroupContext) {
    this.#options = options;
    this.#with = context;
    this.#topics = new Set(options.topics);
    this.#laterTopics = new Set(options.laterTopics);
    this.#handover = new Handover(options.groupId, options.log, context.clock, context.handoverWithinMs);
    this.#states = new StateMachine<GroupState>(`group ${options.groupId}`, GROUP_TRANSITIONS, 'idle');
    this.#feeds = new GroupFeeds(context.feeds, {
      onBatch: (batch) => this.#options.onBatch(batch),
      onJump: (at, _from, to) => {
        this.#with.onJump(options.groupId, at);
        this.#options.onJump({ topic: at.topic, partition: at.partition }, to);
      },
      onReturned: (at, position) => this.#positionAfterReturn(at, position),
    });
  }

  get groupId(): string {
    return this.#options.groupId;
  }

  /** Topics of which no partition is read yet. */
  get missingTopics(): string[] {
    if (!this.#states.is('held')) return [];
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
    signal.throwIfAborted();
    this.#states.to('joining');
    this.#running = this.#keep();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      // biome-ignore lint/plugin: a group is started once.
      await Promise.race([this.#heldOnce.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Ends the membership at once, and leaves the group. The caller commits before. */
  async stop(): Promise<void> {
    if (this.#states.is('leaving', 'closed')) return;
    const membership = this.#membership;
    this.#states.to('leaving');
    this.#endMembership();
    this.#feeds.closeAll();
    this.#stopping.abort();
    this.#heldOnce.resolve();
    this.#wake.resolve();
    const left = this.#leave(membership);
    // biome-ignore lint/plugin: both are made for one stop.
    await Promise.race([left, pause(LEAVE_WITHIN_MS, { clock: this.#with.clock, isBackground: true })]);
    this.#states.to('closed');
    this.#with.onClosed(this);
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
    if (!this.#states.is('held')) return;
    this.#states.to('rejoining');
    this.#wake.resolve();
  }

  /** Joins again if the worker's membership of its own group has changed: our place may be taken. */
  checkLease(): void {
    if (this.#membership && this.#membership.worker !== this.#with.lease.memberId) this.requestRejoin();
  }

  /** Sends a heartbeat if nothing has confirmed the membership for this long. */
  async beat(intervalMs: number): Promise<void> {
    const membership = this.#membership;
    const sentAtMs = this.#with.clock.monotonicMs();
    if (!membership || !this.#states.is('held') || this.#isBeating) return;
    if (sentAtMs - this.#confirmedAtMs < intervalMs) return;
    this.#isBeating = true;
    try {
      const link = await this.#with.coordinators.linkOf(this.groupId);
      const code = await heartbeat(link.shared(), this.groupId, membership);
      if (code === CODE.NONE) this.#confirmedAtMs = Math.max(this.#confirmedAtMs, sentAtMs);
      else this.#onGroupError(code, membership);
    } catch (error) {
      // The broker is away, or another one coordinates: the session is long enough for another try.
      this.#with.coordinators.forget(this.groupId);
      this.#options.log.info({ err: error }, `heartbeat failed; trying again: ${messageOf(error)}`);
    } finally {
      this.#isBeating = false;
    }
  }

  /**
   * @throws {KafkaPortError} `DB_KAFKA_MEMBERSHIP_LOST` when the membership has ended, or the broker says so, which
   *   ends it; `DB_KAFKA_NOT_ASSIGNED`; `DB_KAFKA_METADATA_TOO_LONG`; `DB_KAFKA_REFUSED`; `DB_KAFKA_UNAVAILABLE` after
   *   a few tries
   */
  async commit(of: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    assertCommittable(of, offsets);
    if (offsets.length === 0) return;
    await retry(() => this.#commitOnce(of, offsets), {
      limits: KAFKA_BACKOFF,
      maxTries: COMMIT_ATTEMPTS,
      isRetryable: (error) => error instanceof KafkaPortError && error.retryable,
      onFailure: () => this.#with.coordinators.forget(this.groupId),
      clock: this.#with.clock,
      // Without jitter: the number of tries is limited, so their total time must not shrink.
      random: () => 1,
    });
  }

  async #commitOnce(of: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    const membership = this.#membership;
    if (!of.isCurrent || membership !== of) {
      throw new KafkaPortError('DB_KAFKA_MEMBERSHIP_LOST', 'commit: the membership has ended');
    }
    try {
      const link = await this.#with.coordinators.linkOf(this.groupId);
      const sentAtMs = this.#with.clock.monotonicMs();
      const { groupCode, goneLanes } = await commitOnce(link.shared(), this.groupId, membership, offsets);
      if (groupCode !== CODE.NONE) {
        this.#onGroupError(groupCode, membership);
        throw new KafkaPortError('DB_KAFKA_MEMBERSHIP_LOST', `commit: ${codeName(groupCode)}`);
      }
      this.#confirmedAtMs = Math.max(this.#confirmedAtMs, sentAtMs);
      // The offset was deleted with its topic.
      for (const lane of goneLanes)
        this.#options.log.warn({ event: 'commit_topic_gone', ...lane }, 'offset not committed: topic was deleted');
    } catch (thrown) {
      throw toPortError(thrown, 'commit');
    }
  }

  /** Handles the error code of the group's answer to a member's request. */
  #onGroupError(code: number, membership: FencedMembership): void {
    if (membership !== this.#membership) return;
    if (isFenced(code)) this.#lose(code);
    else if (code === CODE.REBALANCE_IN_PROGRESS) this.requestRejoin();
    else if (isCoordinatorMove(code)) this.#with.coordinators.forget(this.groupId);
    else
      this.#options.log.warn(
        { event: 'heartbeat_refused', groupId: this.groupId, code: codeName(code) },
        'heartbeat refused; trying again',
      );
  }

  #lose(code: number): void {
    const because = { groupId: this.groupId, code: codeName(code) };
    this.#options.log.warn({ event: 'membership_lost', ...because }, 'group membership lost');
    if (!this.#states.is('held', 'rejoining')) return;
    this.#states.to('joining');
    this.#endMembership();
    this.#membership = undefined;
    this.#feeds.closeAll();
    this.#wake.resolve();
  }

  /** Joins whenever that is due, until the stop. */
  async #keep(): Promise<void> {
    for (let failures = 0; !this.#isStopping; ) {
      if (!this.#states.is('joining', 'rejoining')) {
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
        continue;
      }
      try {
        const pauseMs = this.#states.is('joining') ? await this.#join() : await this.#rejoin();
        failures = 0;
        if (pauseMs > 0) await this.#pause(pauseMs);
      } catch (thrown) {
        if (this.#isStopping) return;
        const error = toPortError(thrown, `join group ${this.groupId}`);
        this.#with.coordinators.forget(this.groupId);
        failures++;
        const retryInMs = backoffMs(failures, KAFKA_BACKOFF);
        this.#options.log.warn(
          { event: 'group_not_joined', err: error, retryInMs },
          `group not joined; trying again: ${error.message}`,
        );
        await this.#pause(retryInMs);
      }
    }
  }

  /** @returns when to try again, in ms from now; 0: done */
  async #join(): Promise<number> {
    const { coordinators, lease, holders } = this.#with;
    const worker = lease.memberId;
    // Another worker may own the customer by now: a worker that takes a group over must be sure that it owns it.
    if (worker === undefined || !lease.isHeld()) return LOOK_AGAIN_AFTER_MS;
    const holder = await holders.of(this.groupId, worker);
    if (this.#isStopping) return 0;
    if (this.#handover.mustWait(holder)) return LOOK_AGAIN_AFTER_MS;

    const assignment = await this.#with.partitionsOf([...this.#topics]);
    const link = await coordinators.linkOf(this.groupId);
    const place = await link.exclusively(async (connection) => {
      return this.#isStopping ? undefined : await takePlace(connection, this.#request('', worker, assignment));
    });
    if (place === undefined) return 0;
    if (place.kind === 'refused') return FENCED_PAUSE_MS;
    const committed = this.#isStopping ? [] : await this.#with.questions.committed(this.groupId);
    if (this.#isStopping) {
      await leaveGroup(link.shared(), this.groupId, place.joined.memberId);
      return 0;
    }
    this.#states.to('held');
    this.#hold(place.joined, assignment, worker, undefined, committed);
    this.#heldOnce.resolve();
    void this.#findLaterLanes();
    return 0;
  }

  /** Finds the lanes that the member before us created. Retries wait in them anyway: other groups may start first. */
  async #findLaterLanes(): Promise<void> {
    await this.#pause(FIND_LATER_AFTER_MS);
    const lanes = await this.#with.partitionsOf(this.topics).catch(() => undefined);
    if (lanes?.every((lane) => this.reads(lane)) !== true) this.requestRejoin();
  }

  async #rejoin(): Promise<number> {
    const previous = this.#membership as FencedMembership;
    const { coordinators, lease } = this.#with;
    const worker = lease.memberId;
    if (worker === undefined || !lease.isHeld()) return LOOK_AGAIN_AFTER_MS;
    this.#endMembership();
    const assignment = await this.#with.partitionsOf(this.topics);
    // A topic that is missing at present remains a lane: it may come back.
    const known = new Set(assignment.map(keyOf));
    for (const lane of previous.assignment) if (!known.has(keyOf(lane))) assignment.push(lane);
    const link = await coordinators.linkOf(this.groupId);
    const place = await link.exclusively((connection) =>
      takePlace(connection, this.#request(previous.memberId, worker, assignment)),
    );
    if (this.#isStopping || !this.#states.is('rejoining')) return 0;
    if (place.kind === 'refused') {
      this.#lose(place.code);
      return FENCED_PAUSE_MS;
    }
    const committed = await this.#with.questions.committed(this.groupId);
    if (this.#isStopping || !this.#states.is('rejoining')) return 0;
    this.#states.to('held');
    this.#hold(place.joined, assignment, worker, previous, committed);
    return 0;
  }

  #request(memberId: string, worker: string, assignment: readonly TopicPartition[]): PlaceRequest {
    const { sessionTimeoutMs } = this.#with;
    return { groupId: this.groupId, memberId, worker, topics: this.topics, assignment, sessionTimeoutMs };
  }

  #hold(
    { memberId, generationId }: JoinedGroup,
    assignment: readonly TopicPartition[],
    worker: string,
    continues: FencedMembership | undefined,
    committed: readonly CommittedOffset[],
  ): void {
    const { clock, lease } = this.#with;
    this.#confirmedAtMs = clock.monotonicMs();
    const membership = new FencedMembership({ memberId, generationId, assignment, continues, worker, lease });
    this.#membership = membership;
    this.#feeds.openAll(assignment, this.#options.onJoined(membership, committed));
  }

  /** A topic that was deleted and created again has lost its offset in the group; an unavailable one has not. */
  async #positionAfterReturn(at: TopicPartition, position: number): Promise<number> {
    const offsets = await this.#with.questions.committed(this.groupId);
    return offsets.some((one) => keyOf(one) === keyOf(at)) ? position : 0;
  }

  async #leave(membership: FencedMembership | undefined): Promise<void> {
    try {
      await this.#running;
      if (membership === undefined) return;
      const link = await this.#with.coordinators.linkOf(this.groupId);
      await leaveGroup(link.shared(), this.groupId, membership.memberId);
    } catch (error) {
      this.#options.log.warn(
        { event: 'group_not_left', err: error, groupId: this.groupId },
        `group not left; its session ends by itself: ${messageOf(error)}`,
      );
    }
  }

  #endMembership(): void {
    const membership = this.#membership;
    if (membership?.end()) this.#options.onLost(membership);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, { clock: this.#with.clock, signal: this.#stopping.signal });
  }
}
