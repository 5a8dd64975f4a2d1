import type { DeliveryHeaders } from '@databridge/schemas/records/headers';

/** Names one lane of one membership. A lane that takes its place has another one, even if it reads the same partition. */
export interface LaneId {
  readonly topic: string;
  readonly partition: number;
  /** 0 for the main lane. */
  readonly delayMs: number;
}

/** A record in memory: fetched, not done. */
export interface HeldRecord {
  readonly lane: LaneId;
  readonly offset: number;
  /** By the monotonic clock. */
  readonly dueAtMs: number;
  readonly key: Buffer | null;
  /** The intake's bytes. */
  readonly value: Buffer;
  readonly facts: DeliveryHeaders;
  /** The same for two copies of one record (schemas/src/records/identity.ts). */
  readonly copyKey: string;
  readonly bytes: number;
}

/** A queue in offset order, which in a lane is due order. Taking and adding cost the same however long it is. */
export class HeldRecords {
  #items: (HeldRecord | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  first(): HeldRecord | undefined {
    return this.#items[this.#head];
  }

  push(record: HeldRecord): void {
    this.#items.push(record);
  }

  shift(): void {
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head < 1_024 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** Back to its place by offset: near the front, since it was taken from there. */
  putBack(record: HeldRecord): void {
    let at = this.#head;
    while (at < this.#items.length && (this.#items[at] as HeldRecord).offset < record.offset) at++;
    if (at === this.#head && this.#head > 0) {
      this.#head--;
      this.#items[this.#head] = record;
    } else {
      this.#items.splice(at, 0, record);
    }
  }

  remove(record: HeldRecord): void {
    if (this.first() === record) this.shift();
    else this.#items.splice(this.#items.indexOf(record, this.#head), 1);
  }

  *[Symbol.iterator](): Iterator<HeldRecord> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as HeldRecord;
  }
}
