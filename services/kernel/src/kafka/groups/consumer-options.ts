import type { ConsumedBatch } from '../records.ts';
import { type PartitionAssigner, stickyAssigner } from './assigners.ts';
import type { Membership } from './membership.ts';

export interface GroupConsumerOptions {
  readonly groupId: string;
  /** All must exist; those that come later are never seen. New partitions are, after `metadataMaxAgeMs`. */
  readonly topics: readonly string[];
  /** Without a heartbeat for that long, the broker gives our partitions to others. Default 10 s; at least 6 s by the broker's default. */
  readonly sessionTimeoutMs?: number;
  /** Default 2 s; a rebalance is noticed that late. */
  readonly heartbeatIntervalMs?: number;
  /** How long the broker holds a fetch that finds nothing. Default 500 ms; also about what `stop` and a resumed partition take. */
  readonly maxWaitMs?: number;
  /** Default 1 MiB. A larger single batch comes all the same, alone. */
  readonly maxBytesPerPartition?: number;
  /** Of one fetch. Default 10 MiB. */
  readonly maxBytes?: number;
  readonly minBytes?: number;
  /** A batch that is too large when decompressed comes as one record, `oversizedBatch`. Default: it fails the consumer. */
  readonly marksOversized?: boolean;
  /** Rebalances and restarts are counted by the group's name, which is fixed then. Default: they are not. */
  readonly isCounted?: boolean;
  /** In the order of preference; default: sticky. */
  readonly assigners?: readonly PartitionAssigner[];
  /** Default 5 min. */
  readonly metadataMaxAgeMs?: number;
  /** Synchronous; before any batch of that membership. Nothing is paused then, whatever was before. */
  onJoined(membership: Membership): void;
  /** Synchronous; exactly once a membership, after `isCurrent` turned false. */
  onLost(membership: Membership): void;
  /**
   * The position moves on when it returns. No heartbeat is sent meanwhile: never await a destination. `records` is
   * empty when all that was fetched is control records. A batch fetched before a `pause` may still come after it. A
   * throw restarts the consumer, and the batch comes again.
   */
  onBatch(membership: Membership, batch: ConsumedBatch): void | Promise<void>;
  /** Everything in the assigned partitions was read: fetches were empty twice in a row. Called repeatedly. */
  onDrained?(membership: Membership): void;
  /** The consumer crashed and is restarted, for as long as it takes. For metrics and the log. */
  onFailure?(error: Error): void;
}

export const CONSUMER_DEFAULTS = {
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 2_000,
  maxWaitMs: 500,
  maxBytesPerPartition: 1024 * 1024,
  maxBytes: 10 * 1024 * 1024,
  minBytes: 1,
  marksOversized: false,
  isCounted: false,
  metadataMaxAgeMs: 300_000,
  assigners: [stickyAssigner],
};
