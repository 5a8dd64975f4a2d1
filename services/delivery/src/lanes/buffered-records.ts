import type { DeliveryHeaders } from '@databridge/schemas/records/headers';

/** Names one lane of one membership. A lane that replaces it has another id, even if it reads the same partition. */
export interface LaneId {
  readonly topic: string;
  readonly partition: number;
  /** The delay of its topic; 0 for the main lane. */
  readonly delayMs: number;
}

/** A record in memory: it is fetched, and not done. */
export interface BufferedRecord {
  readonly lane: LaneId;
  readonly offset: number;
  /** The time at which it is due, by the monotonic clock. */
  readonly dueAtMs: number;
  /** The bytes of the intake record. */
  readonly value: Buffer;
  readonly facts: DeliveryHeaders;
  /** The key is the same for two copies of one record (schemas/src/records/identity.ts). */
  readonly copyKey: string;
  readonly bytes: number;
}

/**
 * A queue in offset order, which in a lane is the order of due times. Taking the first and adding the last take
 * constant time.
 */
export class BufferedRecords {
  #items: (BufferedRecord | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** The size of all records in it. */
  get bytes(): number {
    return this.#bytes;
  }

  first(): BufferedRecord | undefined {
    return this.#items[this.#head];
  }

  last(): BufferedRecord | undefined {
    return this.#head < this.#items.length ? this.#items.at(-1) : undefined;
  }

  shift(): BufferedRecord | undefined {
    const first = this.#items[this.#head];
    if (first === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head++;
    this.#bytes -= first.bytes;
    if (this.#head >= 1_024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** Inserts a record at its place by offset. */
  add(record: BufferedRecord): void {
    this.#bytes += record.bytes;
    const last = this.last();
    if (last === undefined || last.offset < record.offset) {
      this.#items.push(record);
      return;
    }
    const at = this.#placeOf(record.offset);
    if (at === this.#head && this.#head > 0) {
      this.#head--;
      this.#items[this.#head] = record;
    } else {
      this.#items.splice(at, 0, record);
    }
  }

  /** @returns false if the record is not in the queue */
  remove(record: BufferedRecord): boolean {
    if (this.first() === record) return this.shift() !== undefined;
    const at = this.#placeOf(record.offset);
    if (this.#items[at] !== record) return false;
    this.#items.splice(at, 1);
    this.#bytes -= record.bytes;
    return true;
  }

  *[Symbol.iterator](): Iterator<BufferedRecord> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as BufferedRecord;
  }

  /** @returns the index of the first record whose offset is not below */
  #placeOf(offset: number): number {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle] as BufferedRecord).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
