import { systemClock } from '../../time/clock.ts';
import type { TopicPartition } from '../records.ts';

/** The share of the session time-out without a heartbeat after which another member may soon own our partitions. */
const LEASE_SHARE_OF_SESSION = 0.6;

/**
 * The right of a member to act for its assigned partitions. Unlike a {@link Membership} it outlives a rebalance: as
 * long as the group has not removed the member, nobody else gets its partitions without the member learning of it.
 */
export interface MemberLease {
  /** The generation of the latest join; undefined before the first. */
  readonly memberId: string | undefined;
  /**
   * The last heartbeat (or join) that the broker answered was *sent* less than 0.6 × the session time-out ago, by the
   * monotonic clock, and the member has not left the group since.
   */
  isValid(): boolean;
}

/**
 * One membership of the group with one assignment: it begins with a join and ends once. Each join, also a rejoin, makes
 * a new one. All state by partition (buffers, trackers) belongs to one membership.
 */
export interface Membership {
  readonly memberId: string;
  readonly assignment: readonly TopicPartition[];
  /** False from the first sign of a rebalance, a rejoin, a crash or the stop on; it never becomes true again. */
  readonly isCurrent: boolean;
  /**
   * The previous membership, if this one follows it directly and nobody else can have owned a partition in between: the
   * same member with the same assignment in the next generation. Its trackers may then be used further (the consumer
   * reads again from the committed offsets nevertheless). Otherwise all of them must be discarded.
   */
  readonly continues: Membership | undefined;
  /**
   * Current, and the last heartbeat that the broker answered was *sent* less than 0.6 × the session time-out ago, by
   * the monotonic clock. Check this before each request to a destination: a process that was frozen or cut off learns
   * only later that it was replaced.
   */
  hasLease(): boolean;
}

/** Only the consumer changes memberships. */
export class ConsumerMembership implements Membership {
  readonly memberId: string;
  readonly assignment: readonly TopicPartition[];
  readonly continues: Membership | undefined;
  readonly #leaseMs: number;
  #isCurrent = true;
  #renewedAtMs: number;

  constructor(fields: {
    memberId: string;
    assignment: readonly TopicPartition[];
    continues: Membership | undefined;
    sessionTimeoutMs: number;
    renewedAtMs: number;
  }) {
    this.memberId = fields.memberId;
    this.assignment = fields.assignment;
    this.continues = fields.continues;
    this.#leaseMs = fields.sessionTimeoutMs * LEASE_SHARE_OF_SESSION;
    this.#renewedAtMs = fields.renewedAtMs;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  hasLease(): boolean {
    return this.#isCurrent && this.sinceRenewedMs() < this.#leaseMs;
  }

  sinceRenewedMs(): number {
    return systemClock.monotonicMs() - this.#renewedAtMs;
  }

  renew(sentAtMs: number): void {
    this.#renewedAtMs = Math.max(this.#renewedAtMs, sentAtMs);
  }

  /** @returns whether it was current until now */
  end(): boolean {
    const wasCurrent = this.#isCurrent;
    this.#isCurrent = false;
    return wasCurrent;
  }
}

/** Only the consumer changes the lease. */
export class ConsumerLease implements MemberLease {
  readonly #heldForMs: number;
  #memberId: string | undefined;
  #renewedAtMs: number | undefined;

  constructor(sessionTimeoutMs: number) {
    this.#heldForMs = sessionTimeoutMs * LEASE_SHARE_OF_SESSION;
  }

  get memberId(): string | undefined {
    return this.#memberId;
  }

  isValid(): boolean {
    return this.#renewedAtMs !== undefined && systemClock.monotonicMs() - this.#renewedAtMs < this.#heldForMs;
  }

  renew(memberId: string, sentAtMs: number): void {
    this.#memberId = memberId;
    this.#renewedAtMs = sentAtMs;
  }

  /** Notes that the member leaves the group: from then on, others get its partitions. */
  end(): void {
    this.#renewedAtMs = undefined;
  }
}
