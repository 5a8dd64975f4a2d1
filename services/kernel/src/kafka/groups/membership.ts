import { systemClock } from '../../time/clock.ts';
import type { TopicPartition } from '../records.ts';

/** Of the session time-out: past this share without a heartbeat, another member may soon own what we hold. */
const LEASE_SHARE_OF_SESSION = 0.6;

/**
 * The right of a member to act for what it was assigned. Unlike a {@link Membership} it outlives a rebalance: as long as
 * the group has not removed the member, nobody else is given what it has without it being told.
 */
export interface MemberLease {
  /** Of the latest join; undefined before the first. */
  readonly memberId: string | undefined;
  /**
   * The last heartbeat (or join) that the broker answered was *sent* less than 0.6 × the session time-out ago, by the
   * monotonic clock, and the member has not left the group since.
   */
  isHeld(): boolean;
}

/**
 * One stay in the group with one assignment: from a join to whatever ends it. It never comes back: each join, a
 * rejoin too, makes a new one. Whatever is kept by partition (buffers, trackers) belongs to one membership.
 */
export interface Membership {
  readonly memberId: string;
  readonly assignment: readonly TopicPartition[];
  /** False from the first sign of a rebalance, a rejoin, a crash or the stop on, and then for ever. */
  readonly isCurrent: boolean;
  /**
   * The membership before, when this one follows it directly and nobody else can have owned a partition in between:
   * the same member with the same assignment in the next generation. Its trackers may then be carried over (the
   * consumer reads again from the committed offsets all the same). Otherwise all must be thrown away.
   */
  readonly continues: Membership | undefined;
  /**
   * Current, and the last heartbeat that the broker answered was *sent* less than 0.6 × the session time-out ago, by
   * the monotonic clock. Ask before each request to a destination: a process that was frozen or cut off learns only
   * later that it was replaced.
   */
  leaseHeld(): boolean;
}

/** The one writer of memberships is the consumer. */
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

  leaseHeld(): boolean {
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

/** The one writer of the lease is the consumer. */
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

  isHeld(): boolean {
    return this.#renewedAtMs !== undefined && systemClock.monotonicMs() - this.#renewedAtMs < this.#heldForMs;
  }

  renew(memberId: string, sentAtMs: number): void {
    this.#memberId = memberId;
    this.#renewedAtMs = sentAtMs;
  }

  /** The member leaves the group: from then on others are given what it had. */
  end(): void {
    this.#renewedAtMs = undefined;
  }
}
