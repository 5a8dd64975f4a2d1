import { crc32c } from '@platformatic/wasm-utils';
import type { Message } from 'kafkajs';

/** The records of a request, by topic and partition, as kafkajs passes them to its encoder. */
export interface TopicData {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly messages: readonly Message[] }[];
}

export interface ProduceRequest {
  readonly acks: number;
  /** The time that the broker may wait for its replicas, in ms. */
  readonly timeout: number;
  readonly topicData: readonly TopicData[];
}

/** The bytes from the batch's first offset to its CRC, which covers everything that follows. */
const HEAD_BYTES = 8 + 4 + 4 + 1 + 4;
/** Attributes to first sequence, and the number of records. */
const FIXED_BODY_BYTES = 2 + 4 + 8 + 8 + 8 + 2 + 4 + 4;
const MAGIC = 2;
/** The attributes of a record (none), and the timestamp delta (0). */
const RECORD_FLAGS_BYTES = 2;
const NO_PRODUCER = -1;

/**
 * The body of a Produce request, versions 3 to 7, with uncompressed record batches of a plain producer: the same bytes
 * as kafkajs makes, in one buffer of the exact size. kafkajs makes a growing buffer for each header and record, and
 * copies each payload seven times. https://kafka.apache.org/documentation/#recordbatch
 */
export function encodeProduceRequest({ acks, timeout, topicData }: ProduceRequest, nowMs: number): Buffer {
  const recordBytes: number[] = [];
  const buffer = Buffer.allocUnsafe(requestBytes(topicData, recordBytes));
  let at = buffer.writeInt16BE(-1, 0); // There is no transactional id.
  at = buffer.writeInt16BE(acks, at);
  at = buffer.writeInt32BE(timeout, at);
  at = buffer.writeInt32BE(topicData.length, at);
  let record = 0;
  for (const { topic, partitions } of topicData) {
    const topicBytes = buffer.write(topic, at + 2);
    at = buffer.writeInt16BE(topicBytes, at) + topicBytes;
    at = buffer.writeInt32BE(partitions.length, at);
    for (const { partition, messages } of partitions) {
      at = buffer.writeInt32BE(partition, at);
      const head = at + 4;
      at = writeBatchBody(buffer, head + HEAD_BYTES, messages.length, nowMs);
      for (const [delta, message] of messages.entries()) {
        at = writeRecord(buffer, at, message, delta, recordBytes[record++] as number);
      }
      writeBatchHead(buffer, head, at);
    }
  }
  return buffer;
}

function writeBatchHead(buffer: Buffer, head: number, end: number): void {
  buffer.writeInt32BE(end - head, head - 4);
  let at = buffer.writeBigInt64BE(0n, head);
  at = buffer.writeInt32BE(end - at - 4, at);
  at = buffer.writeInt32BE(0, at); // The leader epoch, which the broker sets.
  at = buffer.writeInt8(MAGIC, at);
  buffer.writeUInt32BE(crc32c(buffer.subarray(at + 4, end)) >>> 0, at);
}

function writeBatchBody(buffer: Buffer, start: number, records: number, nowMs: number): number {
  const time = BigInt(nowMs);
  let at = buffer.writeInt16BE(0, start);
  at = buffer.writeInt32BE(records - 1, at);
  at = buffer.writeBigInt64BE(time, at);
  at = buffer.writeBigInt64BE(time, at);
  at = buffer.writeBigInt64BE(BigInt(NO_PRODUCER), at);
  at = buffer.writeInt16BE(0, at);
  at = buffer.writeInt32BE(0, at);
  return buffer.writeInt32BE(records, at);
}

function writeRecord(buffer: Buffer, start: number, message: Message, delta: number, bytes: number): number {
  const { key, value, headers } = message;
  let at = writeVarInt(buffer, start, bytes);
  buffer[at++] = 0;
  buffer[at++] = 0;
  at = writeVarInt(buffer, at, delta);
  at = writeBytes(buffer, at, key);
  at = writeBytes(buffer, at, value);
  if (headers === undefined) return writeVarInt(buffer, at, 0);
  at = writeVarInt(buffer, at, headerCount(headers));
  for (const name in headers) {
    const values = headers[name];
    if (!Array.isArray(values)) at = writeBytes(buffer, writeBytes(buffer, at, name), values);
    else for (const one of values) at = writeBytes(buffer, writeBytes(buffer, at, name), one);
  }
  return at;
}

/** @param recordBytes receives each record's own size, in order, because they are needed again */
function requestBytes(topicData: readonly TopicData[], recordBytes: number[]): number {
  let sum = 2 + 2 + 4 + 4;
  for (const { topic, partitions } of topicData) {
    sum += 2 + Buffer.byteLength(topic) + 4;
    for (const { messages } of partitions) {
      sum += 4 + 4 + HEAD_BYTES + FIXED_BODY_BYTES;
      for (const [delta, message] of messages.entries()) {
        const bytes = bytesOf(message, delta);
        recordBytes.push(bytes);
        sum += varIntBytes(bytes) + bytes;
      }
    }
  }
  return sum;
}

function bytesOf({ key, value, headers }: Message, delta: number): number {
  let sum = RECORD_FLAGS_BYTES + varIntBytes(delta) + bytesBytes(key) + bytesBytes(value);
  if (headers === undefined) return sum + 1;
  sum += varIntBytes(headerCount(headers));
  for (const name in headers) {
    const values = headers[name];
    if (!Array.isArray(values)) sum += bytesBytes(name) + bytesBytes(values);
    else for (const one of values) sum += bytesBytes(name) + bytesBytes(one);
  }
  return sum;
}

function headerCount(headers: NonNullable<Message['headers']>): number {
  let count = 0;
  for (const name in headers) {
    const values = headers[name];
    count += Array.isArray(values) ? values.length : 1;
  }
  return count;
}

type Bytes = Buffer | string | null | undefined;

function bytesBytes(value: Bytes): number {
  if (value === null || value === undefined) return 1;
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  return varIntBytes(bytes) + bytes;
}

function writeBytes(buffer: Buffer, at: number, value: Bytes): number {
  if (value === null || value === undefined) return writeVarInt(buffer, at, -1);
  if (typeof value !== 'string') {
    const start = writeVarInt(buffer, at, value.length);
    buffer.set(value, start);
    return start + value.length;
  }
  const bytes = Buffer.byteLength(value);
  const start = writeVarInt(buffer, at, bytes);
  buffer.write(value, start);
  return start + bytes;
}

/** Zigzag encoding, then seven bits per byte, the lowest first. */
function writeVarInt(buffer: Buffer, start: number, value: number): number {
  let at = start;
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  while (left > 0x7f) {
    buffer[at++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  buffer[at++] = left;
  return at;
}

function varIntBytes(value: number): number {
  let bytes = 1;
  for (let left = ((value << 1) ^ (value >> 31)) >>> 0; left > 0x7f; left >>>= 7) bytes++;
  return bytes;
}
