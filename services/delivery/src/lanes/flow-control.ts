import type { Clock } from '@databridge/kernel/clock';
import type { Ending } from '@databridge/kernel/ending';
import type { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { Lane } from './lane.ts';

/** Heartbeats go between fetches: half of their interval. A lane that has no room by then is slow enough for a pause. */
const ROOM_WITHIN_MS = 1_000;

/** Keeps a customer's lanes from overflowing: by letting the next fetch wait for a moment, or by a pause. */
export class FlowControl {
  readonly #consumer: Pick<GroupConsumer, 'pause' | 'resume'>;
  readonly #clock: Clock;
  readonly #stopping: Ending;
  /** The full lane that the next fetch waits for. */
  #awaited: { readonly lane: Lane; readonly made: () => void } | undefined;

  /** @param stopping ends every wait */
  constructor(consumer: Pick<GroupConsumer, 'pause' | 'resume'>, clock: Clock, stopping: Ending) {
    this.#consumer = consumer;
    this.#clock = clock;
    this.#stopping = stopping;
  }

  /**
   * Resolves when the lane has room again, or after a while. Awaited before the next fetch, it keeps a lane that is
   * drained at full speed from overflowing without a pause, which ends only with the poll under way.
   */
  async roomIn(lane: Lane): Promise<void> {
    const made = Promise.withResolvers<undefined>();
    const timer = this.#clock.after(ROOM_WITHIN_MS, () => made.resolve(undefined));
    this.#awaited = { lane, made: () => made.resolve(undefined) };
    await this.#stopping.orEnded(made.promise);
    this.#awaited = undefined;
    timer.cancel();
  }

  /** A record was taken from the lane. */
  taken(lane: Lane): void {
    if (this.#awaited?.lane === lane && lane.hasRoom) this.#awaited.made();
    this.adjust(lane);
  }

  /** Pauses the lane's partition if it is full, resumes it once it has room. */
  adjust(lane: Lane): void {
    const change = lane.flowChange();
    if (change === 'pause') this.#consumer.pause([{ topic: lane.topic, partition: lane.partition }]);
    if (change === 'resume') this.#consumer.resume([{ topic: lane.topic, partition: lane.partition }]);
  }
}
