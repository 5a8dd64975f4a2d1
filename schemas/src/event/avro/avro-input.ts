/** Reads the bytes of one event from the beginning to the end. The cost is limited before it is incurred. */
import { MalformedEventError } from '../../errors.ts';
import type { JsonOutput } from '../json-output.ts';

/** The limit of array items, map entries and record fields of one event: each costs time, even if it takes no byte. */
export const MAX_VALUES = 250_000;
/** The limit of nesting of records, arrays and maps. */
export const MAX_DEPTH = 64;

const MOST_EXACT_BYTES = 7;

export class AvroInput {
  readonly #bytes: Buffer;
  #at = 0;
  #valuesLeft = MAX_VALUES;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get bytesLeft(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws {MalformedEventError} if the total number of values exceeds the limit */
  spend(values: number): void {
    this.#valuesLeft -= values;
    if (this.#valuesLeft < 0) throw new MalformedEventError(`the event has more than ${MAX_VALUES} values`);
  }

  enter(values: number): void {
    if (++this.#depth > MAX_DEPTH) throw new MalformedEventError(`the event is nested deeper than ${MAX_DEPTH} levels`);
    this.spend(values);
  }

  leave(): void {
    this.#depth--;
  }

  boolean(): boolean {
    const byte = this.#byte();
    if (byte > 1) throw new MalformedEventError(`${byte} is neither true nor false`);
    return byte === 1;
  }

  int(): number {
    const value = this.long();
    if (typeof value === 'number' && value >= -2_147_483_648 && value <= 2_147_483_647) return value;
    throw new MalformedEventError(`${value} is not an int`);
  }

  /** Returns a bigint if a number would not be exact. */
  long(): number | bigint {
    const bytes = this.#bytes;
    let byte = this.#byte();
    let unsigned = byte & 0x7f;
    let factor = 128;
    for (let count = 1; byte >= 128; count++) {
      if (count === MOST_EXACT_BYTES) return this.#longLong(unsigned);
      if (this.#at >= bytes.length) throw truncated();
      byte = bytes[this.#at++] as number;
      unsigned += (byte & 0x7f) * factor;
      factor *= 128;
    }
    return unsigned % 2 === 0 ? unsigned / 2 : -(unsigned + 1) / 2;
  }

  /** @param low the first seven bytes */
  #longLong(low: number): number | bigint {
    let unsigned = BigInt(low);
    for (let shift = 49n; ; shift += 7n) {
      const byte = this.#byte();
      if (shift === 63n && byte > 1) throw new MalformedEventError('a number has more than 64 bits');
      unsigned |= BigInt(byte & 0x7f) << shift;
      if (byte < 128) break;
    }
    const value = (unsigned >> 1n) ^ -(unsigned & 1n);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#passOver(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#passOver(8));
  }

  string(): string {
    const length = this.#length();
    const from = this.#passOver(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  /** Reads a string, and writes it as JSON. */
  text(output: JsonOutput): void {
    const length = this.#length();
    const from = this.#passOver(length);
    output.string(this.#bytes, from, from + length);
  }

  /** Reads the number of a union's branch. */
  branch(count: number): number {
    const branch = Number(this.long());
    if (branch >= 0 && branch < count) return branch;
    throw new MalformedEventError('a union has no branch of that number');
  }

  /** @returns a view of the event's bytes, not a copy */
  bytes(length = this.#length()): Buffer {
    const from = this.#passOver(length);
    return this.#bytes.subarray(from, from + length);
  }

  skip(length = this.#length()): void {
    this.#passOver(length);
  }

  /**
   * Reads the blocks of an array or a map.
   * @param takesBytes whether an item takes at least one byte: then there are no more items than bytes
   * @param readItem reads one item
   */
  blocks(takesBytes: boolean, readItem: () => void): void {
    this.enter(0);
    for (let count = this.long(); count !== 0; count = this.long()) {
      let end: number | undefined;
      if (count < 0) {
        const size = this.#length();
        if (size > this.bytesLeft) throw truncated();
        end = this.#at + size;
        count = -count;
      }
      if (takesBytes && count > this.bytesLeft) throw truncated();
      if (count > MAX_VALUES)
        throw new MalformedEventError(`a block has ${count} items, at most ${MAX_VALUES} are read`);
      this.spend(Number(count));
      for (let i = 0; i < count; i++) readItem();
      if (end !== undefined && end !== this.#at) throw new MalformedEventError('a block has another size than it says');
    }
    this.leave();
  }

  end(): void {
    if (this.bytesLeft > 0) throw new MalformedEventError(`trailing data: ${this.bytesLeft} bytes`);
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw truncated();
    return this.#bytes[this.#at++] as number;
  }

  #length(): number {
    const length = this.long();
    if (length < 0) throw new MalformedEventError(`a length is negative: ${length}`);
    return Number(length);
  }

  /** @returns the position at which the skipped bytes begin */
  #passOver(length: number): number {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw truncated();
    this.#at = from + length;
    return from;
  }
}

const truncated = () => new MalformedEventError('truncated: the data end before the event does');
