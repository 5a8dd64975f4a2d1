import type { Clock } from '@databridge/kernel/clock';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { CommittedOffset } from '@databridge/kernel/kafka/records';
import { deliveryGroup } from '@databridge/schemas/records/topics';
import type { CustomerBytes } from './byte-budget.ts';
import type { HeldRecord } from './held-records.ts';
import { keyOf, LaneSet } from './lane-set.ts';

export interface LaneOwnershipOptions {
  readonly customer: string;
  readonly admin: Pick<KafkaAdmin, 'committedOffsets'>;
  readonly budget: CustomerBytes;
  readonly clock: Clock;
  readonly delayMsOf: (topic: string) => number;
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
  /** Resolves when the lanes of the present membership know what is committed. */
  #restored: Promise<void> = Promise.resolve();
  /** Pending between the end of a membership and the next join. */
  #nextJoin: PromiseWithResolvers<void> | undefined;

  constructor(options: LaneOwnershipOptions) {
    this.#options = options;
  }

  /** Of the latest membership; it may have ended. */
  get lanes(): LaneSet | undefined {
    return this.#lanes;
  }

  joined(membership: Membership): void {
    const previous = this.#lanes;
    const lanes = new LaneSet(membership, this.#options.budget, this.#options.clock);
    this.#lanes = lanes;
    // One that ended before it knew what is committed has no lanes to take over: without any, nothing would be read.
    if (previous?.isRestored && membership.continues === previous.membership) {
      lanes.adopt(previous);
    } else {
      previous?.discard();
      this.#restored = this.#restore(lanes);
      // Whoever awaits it sees the failure; here nobody may.
      this.#restored.catch(() => undefined);
    }
    this.giveUp();
  }

  lost(): void {
    this.#nextJoin ??= Promise.withResolvers();
  }

  /** The lanes of that membership, once they know what is committed; undefined if it is no longer the latest. */
  async of(membership: Membership): Promise<LaneSet | undefined> {
    await this.#restored;
    return this.#lanes?.membership === membership ? this.#lanes : undefined;
  }

  /** During a rebalance it takes until that is over to know. */
  isOurs(record: HeldRecord): boolean | Promise<boolean> {
    if (this.#lanes?.holds(record.lane)) return true;
    return this.#nextJoin ? this.#nextJoin.promise.then(() => this.#lanes?.holds(record.lane) ?? false) : false;
  }

  /** Ours, and the lease held: what waited since it was taken from its lane asks again before it is sent. */
  mayBeSent(record: HeldRecord): boolean {
    return this.#lanes?.holds(record.lane) === true && this.#lanes.membership.leaseHeld();
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

  async #restore(lanes: LaneSet): Promise<void> {
    const committed = await this.#options.admin.committedOffsets(deliveryGroup(this.#options.customer));
    if (this.#lanes === lanes) lanes.restore(this.#withHistory(committed, lanes.membership), this.#options.delayMsOf);
  }

  /** A group that lost its offsets would start from the beginning of the log: the status record knows better. */
  #withHistory(committed: readonly CommittedOffset[], { assignment }: Membership): readonly CommittedOffset[] {
    const known = new Set(committed.map(keyOf));
    const assigned = new Set(assignment.map(keyOf));
    const lost = this.#options.history.filter((one) => assigned.has(keyOf(one)) && !known.has(keyOf(one)));
    if (lost.length === 0) return committed;
    this.#options.onHistoryUsed(lost);
    return [...committed, ...lost];
  }
}
