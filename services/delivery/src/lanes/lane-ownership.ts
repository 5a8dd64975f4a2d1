import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { LaneStart } from '@databridge/kernel/kafka/lane-reader/group-options';
import { type CommittedOffset, keyOf, type TopicPartition } from '@databridge/kernel/kafka/records';
import type { Clock } from '@databridge/kernel/time/clock';
import type { BufferedRecord } from './buffered-records.ts';
import type { CustomerBytes } from './byte-budget.ts';
import type { FreshFirst } from './fresh-first.ts';
import { LaneSet } from './lane-set.ts';

export interface LaneOwnershipOptions {
  readonly budget: CustomerBytes;
  readonly clock: Clock;
  readonly delayMsOf: (topic: string) => number;
  /** If omitted, everything is sent in order. */
  readonly freshFirst?: FreshFirst;
  /** The committed offsets in the customer's status record. */
  readonly history: readonly CommittedOffset[];
  /** Called with the offsets that the group had lost, and that the status record replaced. */
  readonly onHistoryUsed: (lost: readonly CommittedOffset[]) => void;
}

/**
 * Knows whether this worker owns the customer's lanes: there is one `LaneSet` per membership.
 *
 *     joined ──lost──▶ rejoining ──joined, same member and assignment──▶ the same lanes go on
 *                          ├──────joined otherwise──▶ new lanes, from what is committed
 *                          └──────given up, ended──▶ nobody's
 */
export class LaneOwnership {
  readonly #options: LaneOwnershipOptions;
  #lanes: LaneSet | undefined;
  /** Pending from the end of a membership until the next join. */
  #nextJoin: PromiseWithResolvers<void> | undefined;

  constructor(options: LaneOwnershipOptions) {
    this.#options = options;
  }

  /** The lanes of the latest membership, which may have ended. */
  get lanes(): LaneSet | undefined {
    return this.#lanes;
  }

  /**
   * @param committed the offsets that the group has committed, read in this membership
   * @returns the offsets at which new lanes start
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

  /** Returns whether this worker owns the record's lane. During a rebalance, it resolves when that is over. */
  isOurs(record: BufferedRecord): boolean | Promise<boolean> {
    if (this.#lanes?.owns(record)) return true;
    return this.#nextJoin ? this.#nextJoin.promise.then(() => this.#lanes?.owns(record) ?? false) : false;
  }

  /**
   * Returns whether the worker owns the record's lane and its lease is valid: a record that waited since it was taken
   * from its lane is checked again before it is sent.
   */
  mayBeSent(record: BufferedRecord): boolean {
    return this.#lanes?.owns(record) === true && this.#lanes.membership.hasLease();
  }

  /** Resolves when no rebalance is in progress. */
  async settled(): Promise<void> {
    await this.#nextJoin?.promise;
  }

  /** Ends the wait for a join. */
  giveUp(): void {
    this.#nextJoin?.resolve();
    this.#nextJoin = undefined;
  }

  end(): void {
    this.giveUp();
    this.#lanes?.discard();
  }

  /**
   * A group that lost its offsets would start from the beginning of the log: the offsets of the status record replace
   * them.
   */
  #withHistory(committed: readonly CommittedOffset[], lanes: readonly TopicPartition[]): readonly CommittedOffset[] {
    const known = new Set(committed.map(keyOf));
    const assigned = new Set(lanes.map(keyOf));
    const lost = this.#options.history.filter((one) => assigned.has(keyOf(one)) && !known.has(keyOf(one)));
    if (lost.length === 0) return committed;
    this.#options.onHistoryUsed(lost);
    return [...committed, ...lost];
  }
}
