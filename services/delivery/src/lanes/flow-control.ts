import type { TopicPartition } from '@databridge/kernel/kafka/records';
import type { Lane } from './lane.ts';

/** A reader of partitions. */
export interface LaneReading {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** The next fetch begins there. */
  seek(at: TopicPartition, offset: number): void;
}

/** Keeps a customer's lanes from overflowing, and reads where they want: a full one is not read until half of it is free again. */
export class FlowControl {
  readonly #reading: LaneReading;

  constructor(reading: LaneReading) {
    this.#reading = reading;
  }

  /** Call it when the lane buffers more or less than before, or may buffer another amount. */
  adjust(lane: Lane): void {
    const cursor = lane.cursorChange();
    if (cursor !== undefined) this.#reading.seek(lane.id, cursor);
    const change = lane.flowChange();
    if (change === 'pause') this.#reading.pause([lane.id]);
    if (change === 'resume') this.#reading.resume([lane.id]);
  }
}
