import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { LaneStart } from '@databridge/kernel/kafka/lane-reader/group-options';
import { type CommittedOffset, keyOf, type TopicPartition } from '@databridge/kernel/kafka/records';
import type { Clock } from '@databridge/kernel/time/clock';
import type { CustomerBytes } from './byte-budget.ts';
import type { FreshFirst } from './fresh-first.ts';
import type { HeldRecord } from './held-records.ts';
import { LaneSet } from './lane-set.ts';

export interface LaneOwnershipOptions {
  readonly budget: CustomerBytes;
  readonly clock: Clock;
  readonly delayMsOf: (topic: string) => number;
  /** Left out: all in order. */
  readonly freshFirst?: FreshFirst;
  /** What the customer's status record says was committed. */
  readonly history: readonly CommittedOffset[];
  /** The group had lost these, and goes on by history. */
  readonly onHistoryUsed: (lost: readonly CommittedOffset[]) => void;
}

/**
 * Whose the customer's lanes are: one `LaneSet` a membership.
 *
 *     joined ──lost──▶ rejoining ──joined, same member and assignment──▶ the same lanes go on
 *                          ├──────joined otherwise──▶ new lanes, from what is committed
 *                          └──────given up, ended──▶ nobody's
 */
export class LaneOwnership {
  readonly #options: LaneOwnershipOptions;
  #lanes: LaneSet | undefined;
  /** Pending between the end of a membership and the next join. */
  #nextJoin: PromiseWithResolvers<void> | undefined;

  constructor(options: LaneOwnershipOptions) {
    this.#options = options;
  }

  /** Of the latest membership; it may have ended. */
  get lanes(): LaneSet | undefined {
    return this.#lanes;
  }

  /**
   * @param committed what the group has committed, read in this membership
   * @returns where the lanes start that are new
   */
  joined(membership: Membership, committed: readonly CommittedOffset[]): LaneStart[] {
    const previous = this.#lanes;
    const { budget, clock, freshFirst } = this.#options;
    const lanes = new LaneSet(membership, budget, clock, freshFirst);
    if (previous !== undefined && membership.continues === previous.membership) lanes.adopt(previous);
    else previous?.discard();
    const added = membership.assignment.filter((at) => lanes.laneOf(at) === undefined);
    const starts = lanes.restore(this.#withHistory(committed, added), this.#options.delayMsOf);
    this.#lanes = lanes;
    this.giveUp();
    return starts;
  }

  markLost(): void {
    this.#nextJoin ??= Promise.withResolvers();
  }

  /** During a rebalance it takes until that is over to know. */
  isOurs(record: HeldRecord): boolean | Promise<boolean> {
    if (this.#lanes?.owns(record)) return true;
    return this.#nextJoin ? this.#nextJoin.promise.then(() => this.#lanes?.owns(record) ?? false) : false;
  }

  /** Ours, and the lease held: what waited since it was taken from its lane asks again before it is sent. */
  mayBeSent(record: HeldRecord): boolean {
    return this.#lanes?.owns(record) === true && this.#lanes.membership.leaseHeld();
  }

  /** Resolves when no rebalance is under way. */
  async settled(): Promise<void> {
    await this.#nextJoin?.promise;
  }

  /** Waits for no join any more. */
  giveUp(): void {
    this.#nextJoin?.resolve();
    this.#nextJoin = undefined;
  }

  end(): void {
    this.giveUp();
    this.#lanes?.discard();
  }

  /** A group that lost its offsets would start from the beginning of the log: the status record knows better. */
  #withHistory(committed: readonly CommittedOffset[], lanes: readonly TopicPartition[]): readonly CommittedOffset[] {
    const known = new Set(committed.map(keyOf));
    const assigned = new Set(lanes.map(keyOf));
    const lost = this.#options.history.filter((one) => assigned.has(keyOf(one)) && !known.has(keyOf(one)));
    if (lost.length === 0) return committed;
    this.#options.onHistoryUsed(lost);
    return [...committed, ...lost];
  }
}
