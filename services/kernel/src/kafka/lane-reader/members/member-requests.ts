import { messageOf } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { KAFKA_BACKOFF } from '../../../time/backoff.ts';
import type { Clock } from '../../../time/clock.ts';
import { retry } from '../../../time/retry.ts';
import { KafkaPortError, toPortError } from '../../errors.ts';
import { assertCommittable } from '../../groups/committable.ts';
import type { Membership } from '../../groups/membership.ts';
import { CODE, codeName, isCoordinatorMove, isFenced } from '../../protocol-codes.ts';
import type { CommittedOffset } from '../../records.ts';
import type { Coordinators } from '../brokers/coordinators.ts';
import type { FencedMembership } from './fenced-membership.ts';
import { commitOnce } from './group-commit.ts';
import { heartbeat } from './group-requests.ts';

/** The member whose requests are sent. */
export interface RequestingMember {
  readonly groupId: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly coordinators: Coordinators;
  /** The last membership, which may have ended. */
  current(): FencedMembership | undefined;
  /** True while it has the place in the group, and no join is due. */
  isJoined(): boolean;
  /** Called when the broker says that the place belongs to another member. */
  onFenced(code: number): void;
  /** Called when the group asks its members to join again. */
  onRebalance(): void;
}

const COMMIT_ATTEMPTS = 5;

/** A member's heartbeats and commits, each of which confirms the membership or reports that it has ended. */
export class MemberRequests {
  readonly #of: RequestingMember;
  /** When the group last confirmed the membership, by the time when we sent the request (monotonic ms). */
  #confirmedAtMs = 0;
  #isBeating = false;

  constructor(of: RequestingMember) {
    this.#of = of;
  }

  /** Notes that a join has confirmed the membership. */
  noteJoined(): void {
    this.#confirmedAtMs = this.#of.clock.monotonicMs();
  }

  /** Sends a heartbeat if nothing has confirmed the membership for this long. */
  beat(intervalMs: number): void {
    const membership = this.#of.current();
    const sentAtMs = this.#of.clock.monotonicMs();
    if (!membership || !this.#of.isJoined() || this.#isBeating) return;
    // Asked twice a second for each of thousands of groups, so without a promise.
    if (sentAtMs - this.#confirmedAtMs >= intervalMs) void this.#sendHeartbeat(membership, sentAtMs);
  }

  async #sendHeartbeat(membership: FencedMembership, sentAtMs: number): Promise<void> {
    this.#isBeating = true;
    try {
      const link = await this.#of.coordinators.linkOf(this.#of.groupId);
      const code = await heartbeat(link.shared(), this.#of.groupId, membership);
      if (code === CODE.NONE) this.#confirmedAtMs = Math.max(this.#confirmedAtMs, sentAtMs);
      else this.#onGroupError(code, membership);
    } catch (error) {
      // The broker is away, or another one coordinates: the session is long enough for another try.
      this.#of.coordinators.forget(this.#of.groupId);
      this.#of.log.info({ err: error }, `heartbeat failed; trying again: ${messageOf(error)}`);
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
      onFailure: () => this.#of.coordinators.forget(this.#of.groupId),
      clock: this.#of.clock,
      // Without jitter: the number of tries is limited, so their total time must not shrink.
      random: () => 1,
    });
  }

  async #commitOnce(of: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    const membership = this.#of.current();
    if (!of.isCurrent || membership !== of) {
      throw new KafkaPortError('DB_KAFKA_MEMBERSHIP_LOST', 'commit: the membership has ended');
    }
    try {
      const link = await this.#of.coordinators.linkOf(this.#of.groupId);
      const sentAtMs = this.#of.clock.monotonicMs();
      const { groupCode, goneLanes } = await commitOnce(link.shared(), this.#of.groupId, membership, offsets);
      if (groupCode !== CODE.NONE) {
        this.#onGroupError(groupCode, membership);
        throw new KafkaPortError('DB_KAFKA_MEMBERSHIP_LOST', `commit: ${codeName(groupCode)}`);
      }
      this.#confirmedAtMs = Math.max(this.#confirmedAtMs, sentAtMs);
      // The offset was deleted with its topic.
      for (const lane of goneLanes)
        this.#of.log.warn({ event: 'commit_topic_gone', ...lane }, 'offset not committed: topic was deleted');
    } catch (thrown) {
      throw toPortError(thrown, 'commit');
    }
  }

  /** Handles the error code of the group's answer to a member's request. */
  #onGroupError(code: number, membership: FencedMembership): void {
    if (membership !== this.#of.current()) return;
    if (isFenced(code)) this.#of.onFenced(code);
    else if (code === CODE.REBALANCE_IN_PROGRESS) this.#of.onRebalance();
    else if (isCoordinatorMove(code)) this.#of.coordinators.forget(this.#of.groupId);
    else
      this.#of.log.warn(
        { event: 'heartbeat_refused', groupId: this.#of.groupId, code: codeName(code) },
        'heartbeat refused; trying again',
      );
  }
}
