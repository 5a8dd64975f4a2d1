import type { Logger } from '../../log.ts';
import type { Membership } from '../groups/membership.ts';
import type { CommittedOffset, ConsumedBatch, TopicPartition } from '../records.ts';

/** The offset at which reading of a lane starts. */
export interface LaneStart extends TopicPartition {
  readonly offset: number;
}

export interface LaneGroupOptions {
  readonly groupId: string;
  /** Topics that don't exist are read soon after they are created. */
  readonly topics: readonly string[];
  /**
   * Topics that may exist, or that the previous member of the group may create: they are looked up two seconds
   * after the group became ours, and every few minutes. Topics that we create later are added by `addTopics`.
   */
  readonly laterTopics?: readonly string[];
  readonly log: Logger;
  /**
   * Called before any batch; synchronous. `committed` are the offsets that the group has committed: nobody else can
   * commit any more.
   * @returns where to start each lane; one that is omitted starts at the log's beginning. Lanes of the membership that
   *   this one continues are being read already, and continue where they are
   */
  onJoined(membership: Membership, committed: readonly CommittedOffset[]): readonly LaneStart[];
  /** Called exactly once per membership, after `isCurrent` turned false; synchronous. */
  onLost(membership: Membership): void;
  /**
   * Synchronous. After an exception the batch comes again. A batch fetched before a `pause` may still come after it.
   */
  onBatch(batch: ConsumedBatch): void;
  /** Called if the lane's offset was out of range, and the next batch starts at `to`; synchronous. */
  onJump(at: TopicPartition, to: number): void;
}
