import { messageOf } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { StateMachine } from '../../../state-machine.ts';
import { backoffMs, KAFKA_BACKOFF } from '../../../time/backoff.ts';
import type { Clock } from '../../../time/clock.ts';
import { pause } from '../../../time/pause.ts';
import { toPortError } from '../../errors.ts';
import type { MemberLease, Membership } from '../../groups/membership.ts';
import { codeName } from '../../protocol-codes.ts';
import { type CommittedOffset, keyOf } from '../../records.ts';
import type { LedPartition } from '../brokers/cluster.ts';
import type { Coordinators } from '../brokers/coordinators.ts';
import { FencedMembership, GROUP_TRANSITIONS, type GroupState } from './fenced-membership.ts';
import { type PlaceRequest, takePlace } from './group-place.ts';
import type { GroupQuestions } from './group-questions.ts';
import { type JoinedGroup, leaveGroup } from './group-requests.ts';
import { MemberRequests } from './member-requests.ts';
import { Handover, type PresentMembers } from './present-member.ts';

/** The resources that the members of all groups of a reader share. */
export interface GroupMemberContext {
  readonly coordinators: Coordinators;
  readonly presentMembers: PresentMembers;
  readonly questions: GroupQuestions;
  readonly lease: MemberLease;
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
  readonly handoverWithinMs: number;
  /** The partitions of the topics that exist. */
  partitionsOf(topics: readonly string[]): Promise<LedPartition[]>;
}

export interface GroupMemberOptions {
  readonly groupId: string;
  readonly log: Logger;
  /** The topics to read when the place in the group is taken. */
  firstTopics(): string[];
  /** All topics that are read, or would be if they existed. */
  topics(): string[];
  /** Called at each membership, with the offsets that the group has committed; synchronous. */
  onJoined(membership: FencedMembership, committed: readonly CommittedOffset[]): void;
  /** Called exactly once per membership, after `isCurrent` turned false; synchronous. */
  onLost(membership: Membership): void;
  /** Called when the place in the group is lost or given up: nothing may be read for it. */
  onOut(): void;
}

/** The delay until the next check whether the worker that owns the group has left it. */
const LOOK_AGAIN_AFTER_MS = 100;
const FENCED_PAUSE_MS = 200;
/** The longest wait of a stop for an unreachable coordinator; the session then ends by itself. */
const LEAVE_WITHIN_MS = 3_000;

/**
 * The one static member of a customer's group: it joins, keeps its place by heartbeats, commits, and leaves. The
 * membership is a fence, not an assignment: a worker that joins later takes our place, and our commits are refused from
 * then on.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #with: GroupMemberContext;
  readonly #states: StateMachine<GroupState>;
  readonly #handover: Handover;
  readonly #requests: MemberRequests;
  readonly #joinedOnce = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  #membership: FencedMembership | undefined;
  #running: Promise<void> | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: GroupMemberOptions, context: GroupMemberContext) {
    this.#options = options;
    this.#with = context;
    this.#handover = new Handover(options.groupId, options.log, context.clock, context.handoverWithinMs);
    this.#states = new StateMachine<GroupState>(`group ${options.groupId}`, GROUP_TRANSITIONS, 'idle');
    this.#requests = new MemberRequests({
      ...{ groupId: options.groupId, log: options.log, clock: context.clock, coordinators: context.coordinators },
      current: () => this.#membership,
      isJoined: () => this.isJoined,
      onFenced: (code) => this.#lose(code),
      onRebalance: () => this.requestRejoin(),
    });
  }

  get groupId(): string {
    return this.#options.groupId;
  }

  /** True while it has the place in the group, and no join is due. */
  get isJoined(): boolean {
    return this.#states.is('joined');
  }

  /** Aborted by the stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
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
      await Promise.race([this.#joinedOnce.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Ends the membership at once, and leaves the group. The caller commits before.
   * @returns false if it was stopped before
   */
  async stop(): Promise<boolean> {
    if (this.#states.is('leaving', 'closed')) return false;
    const membership = this.#membership;
    this.#states.to('leaving');
    this.#endMembership();
    this.#options.onOut();
    this.#stopping.abort();
    this.#joinedOnce.resolve();
    this.#wake.resolve();
    const left = this.#leave(membership);
    // biome-ignore lint/plugin: both are made for one stop.
    await Promise.race([left, pause(LEAVE_WITHIN_MS, { clock: this.#with.clock, isBackground: true })]);
    this.#states.to('closed');
    return true;
  }

  /** Joins the group again to report a change: of its lanes, or of the worker's own membership. */
  requestRejoin(): void {
    if (!this.#states.is('joined')) return;
    this.#states.to('rejoining');
    this.#wake.resolve();
  }

  /** Joins again if the worker's membership of its own group has changed: our place may be taken. */
  checkLease(): void {
    if (this.#membership && this.#membership.worker !== this.#with.lease.memberId) this.requestRejoin();
  }

  /** Sends a heartbeat if nothing has confirmed the membership for this long. */
  beat(intervalMs: number): void {
    this.#requests.beat(intervalMs);
  }

  /** Commits as this member. @throws {KafkaPortError} as `MemberRequests.commit` says */
  async commit(of: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    await this.#requests.commit(of, offsets);
  }

  #lose(code: number): void {
    const because = { groupId: this.groupId, code: codeName(code) };
    this.#options.log.warn({ event: 'membership_lost', ...because }, 'group membership lost');
    if (!this.#states.is('joined', 'rejoining')) return;
    this.#states.to('joining');
    this.#endMembership();
    this.#membership = undefined;
    this.#options.onOut();
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
    const { coordinators, lease, presentMembers } = this.#with;
    const worker = lease.memberId;
    // Another worker may own the customer by now: a worker that takes a group over must be sure that it owns it.
    if (worker === undefined || !lease.isValid()) return LOOK_AGAIN_AFTER_MS;
    const member = await presentMembers.of(this.groupId, worker);
    if (this.#isStopping) return 0;
    if (this.#handover.checkWait(member)) return LOOK_AGAIN_AFTER_MS;

    const assignment = await this.#with.partitionsOf(this.#options.firstTopics());
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
    this.#states.to('joined');
    this.#begin(place.joined, assignment, worker, undefined, committed);
    this.#joinedOnce.resolve();
    return 0;
  }

  async #rejoin(): Promise<number> {
    const previous = this.#membership as FencedMembership;
    const { coordinators, lease } = this.#with;
    const worker = lease.memberId;
    if (worker === undefined || !lease.isValid()) return LOOK_AGAIN_AFTER_MS;
    this.#endMembership();
    const assignment = await this.#with.partitionsOf(this.#options.topics());
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
    this.#states.to('joined');
    this.#begin(place.joined, assignment, worker, previous, committed);
    return 0;
  }

  #request(memberId: string, worker: string, assignment: readonly LedPartition[]): PlaceRequest {
    const { sessionTimeoutMs } = this.#with;
    return { groupId: this.groupId, memberId, worker, topics: this.#options.topics(), assignment, sessionTimeoutMs };
  }

  #begin(
    { memberId, generationId }: JoinedGroup,
    assignment: readonly LedPartition[],
    worker: string,
    continues: FencedMembership | undefined,
    committed: readonly CommittedOffset[],
  ): void {
    const { lease } = this.#with;
    this.#requests.noteJoined();
    const membership = new FencedMembership({ memberId, generationId, assignment, continues, worker, lease });
    this.#membership = membership;
    this.#options.onJoined(membership, committed);
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
