import type { ConsumedBatch } from '../records.ts';
import { type PartitionAssigner, stickyAssigner } from './assigners.ts';
import type { Membership } from './membership.ts';

export interface GroupConsumerOptions {
  readonly groupId: string;
  /**
   * The topics. All must exist: topics that are created later are never seen. New partitions are, after
   * `metadataMaxAgeMs`.
   */
  readonly topics: readonly string[];
  /**
   * Without a heartbeat for this long, the broker gives our partitions to others. Default 10 s; at least 6 s by the
   * broker's default.
   */
  readonly sessionTimeoutMs?: number;
  /** The interval of heartbeats; a rebalance is noticed within it. Default 2 s. */
  readonly heartbeatIntervalMs?: number;
  /**
   * The time for which the broker delays the answer to a fetch that finds nothing. `stop` and a resumed partition take
   * about as long. Default 500 ms.
   */
  readonly maxWaitMs?: number;
  /**
   * The limit of one partition's part of a fetch. Default 1 MiB. A larger single batch is fetched nevertheless, alone.
   */
  readonly maxBytesPerPartition?: number;
  /** The limit of one fetch. Default 10 MiB. */
  readonly maxBytes?: number;
  readonly minBytes?: number;
  /**
   * True if a batch that is too large when decompressed is passed on as one record, `oversizedBatch`. By default it
   * fails the consumer.
   */
  readonly marksOversized?: boolean;
  /** True if rebalances and restarts are counted by the group's name, which is fixed then. Default: false. */
  readonly isCounted?: boolean;
  /** The assigners in the order of preference; default: sticky. */
  readonly assigners?: readonly PartitionAssigner[];
  /** Default 5 min. */
  readonly metadataMaxAgeMs?: number;
  /** Called before any batch of that membership; synchronous. Nothing is paused at that time. */
  onJoined(membership: Membership): void;
  /** Called exactly once per membership, after `isCurrent` turned false; synchronous. */
  onLost(membership: Membership): void;
  /**
   * The position advances when it returns. No heartbeat is sent meanwhile: never await a destination. `records` is
   * empty if only control records were fetched. A batch fetched before a `pause` may still come after it. After an
   * exception the consumer restarts, and the batch comes again.
   */
  onBatch(membership: Membership, batch: ConsumedBatch): void | Promise<void>;
  /** Called repeatedly while everything in the assigned partitions is read: fetches were empty twice in a row. */
  onDrained?(membership: Membership): void;
  /** Called when the consumer crashed and is restarted, however long that takes. It is for metrics and the log. */
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

/** The options with their defaults filled in. */
export type FullConsumerOptions = Required<Omit<GroupConsumerOptions, 'onDrained' | 'onFailure'>> &
  Pick<GroupConsumerOptions, 'onDrained' | 'onFailure'>;
