/** The limit of a record batch after decompression: 1 MiB of zstd may contain gigabytes. */

/** Thrown by codecs, before or while they decompress. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`the record batch is larger than ${maxBytes} bytes when it is decompressed`);
    this.maxBytes = maxBytes;
  }
}

/**
 * 16 times the batch size of the Java client and librdkafka: they measure it before compression (`max.request.size`,
 * `message.max.bytes`), and stop at 1 MB. While a batch is decompressed, its fetch waits, together with the data of
 * other partitions in it: about 10 ms for 16 MiB, and a noticeable time for 64 MiB.
 */
export const DEFAULT_MAX_BATCH_BYTES = 16 * 1024 * 1024;

let maxBatchBytes = DEFAULT_MAX_BATCH_BYTES;

/** The limit of this process: kafkajs passes nothing but the bytes to codecs. */
export function limitBatchBytes(bytes: number): void {
  maxBatchBytes = bytes;
}

export function batchBytesLimit(): number {
  return maxBatchBytes;
}

/** @throws {ExpansionError} */
export function checkExpansion(bytes: number): void {
  if (bytes > maxBatchBytes) throw new ExpansionError(maxBatchBytes);
}

/** Each compressed byte of a sequence adds at most 255 bytes. */
const LZ4_MAX_RATIO = 255;
const LZ4_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a5;
const MIN_MATCH = 4;

/**
 * The size of LZ4 frames after decompression. Frames from Kafka's clients don't state it, so the sizes of the sequences
 * are added up; nothing is copied. The decompressor detects damaged frames.
 */
export function lz4Size(compressed: Buffer): number {
  if (compressed.length * LZ4_MAX_RATIO <= maxBatchBytes) return 0;
  let total = 0;
  let at = 0;
  while (at + 7 <= compressed.length) {
    const magic = compressed.readUInt32LE(at);
    if (magic >>> 4 === SKIPPABLE_MAGIC) {
      at += 8 + (at + 8 <= compressed.length ? compressed.readUInt32LE(at + 4) : 0);
      continue;
    }
    if (magic !== LZ4_MAGIC) break;
    const flags = compressed[at + 4] as number;
    const hasBlockChecksum = (flags & 0x10) !== 0;
    at += 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
    for (;;) {
      if (at + 4 > compressed.length) return total;
      const size = compressed.readUInt32LE(at);
      at += 4;
      if (size === 0) break;
      const length = size & 0x7fffffff;
      const end = Math.min(at + length, compressed.length);
      total += size >>> 31 === 1 ? length : lz4BlockSize(compressed, at, end);
      at += length + (hasBlockChecksum ? 4 : 0);
    }
    if ((flags & 0x04) !== 0) at += 4;
  }
  return total;
}

function lz4BlockSize(bytes: Buffer, from: number, end: number): number {
  let total = 0;
  let at = from;
  const extended = (length: number): number => {
    if (length !== 15) return length;
    let sum = length;
    for (let more = 255; more === 255 && at < end; ) {
      more = bytes[at++] as number;
      sum += more;
    }
    return sum;
  };
  while (at < end) {
    const token = bytes[at++] as number;
    const literals = extended(token >>> 4);
    total += literals;
    at += literals;
    // The last sequence of a block has literals only.
    if (at >= end) break;
    at += 2;
    total += extended(token & 15) + MIN_MATCH;
  }
  return total;
}

/** The size of a bare Snappy block, which is stated at its beginning. */
export function snappySize(block: Buffer): number {
  let size = 0;
  for (let at = 0; at < 5 && at < block.length; at++) {
    const byte = block[at] as number;
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) break;
  }
  return size;
}
