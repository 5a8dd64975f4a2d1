import type { Logger } from '../../log.ts';
import type { Membership } from '../groups/membership.ts';
import type { CommittedOffset, ConsumedBatch, TopicPartition } from '../records.ts';

/** Where reading of a lane starts. */
export interface LaneStart extends TopicPartition {
  readonly offset: number;
}

export interface LaneGroupOptions {
  readonly groupId: string;
  /** Those that don't exist are read soon after they do. */
  readonly topics: readonly string[];
  /**
   * Topics that may exist, or be made by whoever holds the group before us: they are looked for once the group is ours,
   * and every few minutes. Topics that we create later are added by `addTopics`.
   */
  readonly laterTopics?: readonly string[];
  readonly log: Logger;
  /**
   * Synchronous, before any batch. `committed` is what the group has committed: nobody else can commit any more.
   * @returns where to start each lane; one that is left out starts at the log's beginning. Lanes that are being read
   *   already, of the membership that this one continues, go on where they are
   */
  onJoined(membership: Membership, committed: readonly CommittedOffset[]): readonly LaneStart[];
  /** Synchronous; exactly once a membership, after `isCurrent` turned false. */
  onLost(membership: Membership): void;
  /** Synchronous. A throw: the batch comes again. A batch fetched before a `pause` may still come after it. */
  onBatch(batch: ConsumedBatch): void;
  /** Synchronous: the lane's offset was out of range, and what comes next starts at `to`. */
  onJump(at: TopicPartition, to: number): void;
}
