import type { Transitions } from '../../../state-machine.ts';
import type { MemberLease, Membership } from '../../groups/membership.ts';
import type { LedPartition } from '../brokers/cluster.ts';

/** The states of a worker's membership of one customer's group. */
export type GroupState = 'idle' | 'joining' | 'joined' | 'rejoining' | 'leaving' | 'closed';

/**
 *     idle ─start▶ joining ──in place──▶ joined ──lane added, group asks for it──▶ rejoining
 *                    ▲  ▲                 │ ▲──────same member──────────────────────┘ │
 *                    │  └──fenced─────────┘                                          │
 *                    └─────fenced────────────────────────────────────────────────────┘
 *     leaving ◀─stop── any of them;  leaving ──left, or given up after a while──▶ closed
 */
export const GROUP_TRANSITIONS: Transitions<GroupState> = {
  idle: ['joining', 'leaving'],
  joining: ['joined', 'leaving'],
  joined: ['rejoining', 'joining', 'leaving'],
  rejoining: ['joined', 'joining', 'leaving'],
  leaving: ['closed'],
  closed: [],
};

/** One membership as the static member of a customer's group. */
export class FencedMembership implements Membership {
  readonly memberId: string;
  readonly assignment: readonly LedPartition[];
  readonly continues: Membership | undefined;
  readonly generationId: number;
  /** The worker's membership under which it was made, or last confirmed. */
  readonly worker: string;
  readonly #lease: MemberLease;
  #isCurrent = true;

  constructor(fields: {
    memberId: string;
    generationId: number;
    assignment: readonly LedPartition[];
    continues: Membership | undefined;
    worker: string;
    lease: MemberLease;
  }) {
    this.memberId = fields.memberId;
    this.generationId = fields.generationId;
    this.assignment = fields.assignment;
    this.continues = fields.continues;
    this.worker = fields.worker;
    this.#lease = fields.lease;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /**
   * A worker that was removed and came back must first check that no other worker took the group over in the meantime.
   */
  hasLease(): boolean {
    return this.#isCurrent && this.#lease.memberId === this.worker && this.#lease.isValid();
  }

  /** @returns whether it was current until now */
  end(): boolean {
    const wasCurrent = this.#isCurrent;
    this.#isCurrent = false;
    return wasCurrent;
  }
}
