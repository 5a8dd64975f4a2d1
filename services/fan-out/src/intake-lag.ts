import { messageOf } from '@databridge/kernel/errors';
import type { CommittedOffset, TopicPartition } from '@databridge/kernel/kafka/records';
import type { PartitionEnds } from '@databridge/kernel/kafka/watermark-reader';
import type { Logger } from '@databridge/kernel/log';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import type { FanOutMetrics } from './metrics.ts';

export interface IntakeLagParts {
  readonly topics: readonly string[];
  /** The partitions of this instance at present: each is reported by the single instance that owns it. */
  readonly assignment: () => readonly TopicPartition[];
  readonly committedOffsets: () => Promise<readonly CommittedOffset[]>;
  readonly watermarks: (topics: readonly string[]) => Promise<ReadonlyMap<string, readonly PartitionEnds[]>>;
  readonly metrics: Pick<FanOutMetrics, 'lag' | 'lagKnownAt'>;
  readonly log: Logger;
}

const INTERVAL_MS = 10_000;

/**
 * The lag of the intake: how far its end is ahead of the committed offsets. Fetched batches cannot tell: if fan-out is
 * stuck, no batch arrives, and a lag derived from them would stop growing.
 */
export class IntakeLag {
  readonly #parts: IntakeLagParts;
  #timer: Timer | undefined;
  #measuring: Promise<void> = Promise.resolve();
  #waitingSinceMs: number | undefined;
  #doneBefore = -1;

  constructor(parts: IntakeLagParts) {
    this.#parts = parts;
  }

  /**
   * When it was first measured that records wait while nothing is committed; records that are not fetched count too.
   */
  get waitingSinceMs(): number | undefined {
    return this.#waitingSinceMs;
  }

  start(): void {
    const measure = () => {
      this.#measuring = this.#measuring.then(() => this.measure());
    };
    measure();
    this.#timer = every(INTERVAL_MS, measure);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#measuring;
  }

  async measure(): Promise<void> {
    const { topics, assignment, committedOffsets, watermarks, metrics, log } = this.#parts;
    try {
      const [committed, ends] = await Promise.all([committedOffsets(), watermarks(topics)]);
      const offsets = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
      metrics.lag.reset();
      let waiting = 0;
      let doneNow = 0;
      for (const { topic, partition } of assignment()) {
        const end = ends.get(topic)?.find((one) => one.partition === partition);
        if (end === undefined) continue;
        const done = Math.max(end.low, offsets.get(`${topic}/${partition}`) ?? end.low);
        metrics.lag.set({ topic, partition }, Math.max(0, end.high - done));
        doneNow += done;
        waiting += Math.max(0, end.high - done);
      }
      if (waiting === 0) this.#waitingSinceMs = undefined;
      else if (doneNow !== this.#doneBefore || this.#waitingSinceMs === undefined)
        this.#waitingSinceMs = systemClock.nowMs();
      this.#doneBefore = doneNow;
      metrics.lagKnownAt.setToCurrentTime();
    } catch (error) {
      log.warn(
        { event: 'intake_lag_unknown', err: error, retryInMs: INTERVAL_MS },
        `intake lag not measured: ${messageOf(error)}`,
      );
    }
  }
}
