import type { TopicPartition } from '@databridge/kernel/kafka/records';
import type { Lane } from './lane.ts';

/** What pauses and resumes the reading of partitions. */
export interface Pausable {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
}

/** Keeps a customer's lanes from overflowing: a full one is not read until half of it is free again. */
export class FlowControl {
  readonly #reading: Pausable;

  constructor(reading: Pausable) {
    this.#reading = reading;
  }

  /** Call it when the lane holds more or less than before, or may hold another amount. */
  adjust(lane: Lane): void {
    const change = lane.flowChange();
    if (change === 'pause') this.#reading.pause([lane.id]);
    if (change === 'resume') this.#reading.resume([lane.id]);
  }
}
