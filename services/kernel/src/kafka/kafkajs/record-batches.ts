import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../time/clock.ts';
import { KafkaPortError } from '../errors.ts';
import { batchBytesLimit, ExpansionError } from './expansion.ts';

/** A record as kafkajs decodes it. */
export interface ClientRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: object;
  readonly isControlRecord: boolean;
  readonly batchContext?: object;
}

/** Replaces `headers` in the single record that represents a batch too large to be decompressed. */
export class OversizedBatch {
  readonly #facts: OversizedFacts;

  constructor(facts: OversizedFacts) {
    this.#facts = facts;
  }

  get facts(): OversizedFacts {
    return this.#facts;
  }
}

export interface OversizedFacts {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  /** The size as the broker stores it. */
  readonly compressedBytes: number;
  /** The limit that it exceeds when decompressed. */
  readonly maxBytes: number;
}

interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readInt32(): number;
  readBytes(size: number): Buffer;
  readVarIntBytes(): Buffer;
  canReadBytes(size: number): boolean;
}

interface Codec {
  decompress(compressed: Buffer): Promise<Buffer>;
}

/** The values that all records of a batch share, as kafkajs's record decoder expects them. */
type BatchContext = Readonly<Record<string, unknown>>;

type DecodeMessages = (decoder: Decoder) => Promise<ClientRecord[]>;

const require = createRequire(import.meta.url);
const DecoderClass = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<BatchContext & { records: ClientRecord[] }>;
const decodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder') as (
  decoder: Decoder,
  context: BatchContext,
) => ClientRecord;
const { lookupCodecByAttributes } = require('kafkajs/src/protocol/message/compression') as {
  lookupCodecByAttributes(attributes: number): Codec | null;
};

/** The first offset and the length, with which every record batch starts. */
export const BATCH_HEAD_BYTES = 12;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const COUNT_AT = 57;
const RECORDS_AT = 61;
const SUPPORTED_MAGIC = 2;
const CODEC_MASK = 0x07;
const TRANSACTIONAL_MASK = 0x10;
/** The memory of a decoded record besides its bytes. */
const RECORD_OVERHEAD_BYTES = 400;
/**
 * The limit of one partition in one fetch; a batch that was begun is finished. The next fetch brings the others. A
 * batch that is too large counts by its possible size: an answer of 1 MiB can contain 60 that expand to gigabytes.
 */
const MAX_FETCH_BYTES = 16 * 1024 * 1024;
/** 2 KB on the wire may contain 40,000 records: heartbeats, probes and other partitions get their turn in between. */
const MAX_TURN_MS = 3;
/** Reading the time costs as much as decoding a small record. */
const RECORDS_PER_LOOK = 32;

export interface DecodedBatches {
  readonly records: ClientRecord[];
  /** One past the last offset that was decoded; undefined if the first batch is cut, or there is none. */
  readonly nextOffset: number | undefined;
  /** The size of the first batch, if it is cut. */
  readonly cutBytes?: number;
}

/**
 * Decodes record batches, one after the other, until they end, one is cut, or enough is in memory. A batch that would
 * be too large when decompressed becomes one record at its last offset, with an {@link OversizedBatch} in place of its
 * headers.
 * @throws an error for damaged bytes and unknown codecs
 */
export async function decodeBatches(bytes: Buffer): Promise<DecodedBatches> {
  const records: ClientRecord[] = [];
  let nextOffset: number | undefined;
  let decodedBytes = 0;
  for (let at = 0; at + BATCH_HEAD_BYTES <= bytes.length && decodedBytes < MAX_FETCH_BYTES; ) {
    const end = at + BATCH_HEAD_BYTES + bytes.readInt32BE(at + 8);
    if (end > bytes.length) {
      // The end of an answer may cut a batch: it comes again as a whole.
      if (nextOffset === undefined) return { records, nextOffset, cutBytes: end - at };
      break;
    }
    const batch = bytes.subarray(at, end);
    const magic = batch.readInt8(MAGIC_AT);
    if (magic !== SUPPORTED_MAGIC) throw new Error(`a record batch of format ${magic}, not ${SUPPORTED_MAGIC}`);
    nextOffset = lastOffsetOf(batch) + 1;
    // No spreading: a batch may contain more records than a call takes arguments.
    for (const record of await decodeOrMark(batch)) {
      records.push(record);
      decodedBytes += decodedBytesOf(record);
    }
    at = end;
  }
  return { records, nextOffset };
}

function decodedBytesOf({ key, value, headers }: ClientRecord): number {
  if (headers instanceof OversizedBatch) return headers.facts.maxBytes;
  return (key?.length ?? 0) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
}

const lastOffsetOf = (batch: Buffer) => Number(batch.readBigInt64BE(0)) + batch.readInt32BE(LAST_OFFSET_DELTA_AT);

async function decodeOrMark(batch: Buffer): Promise<readonly ClientRecord[]> {
  const isCompressed = (batch.readInt16BE(ATTRIBUTES_AT) & CODEC_MASK) !== 0;
  const maxBytes = batchBytesLimit();
  try {
    if (isCompressed && batch.readInt32BE(COUNT_AT) * RECORD_OVERHEAD_BYTES > maxBytes) {
      throw new ExpansionError(maxBytes);
    }
    return await decodeRecords(batch);
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    return [markOf(batch, error.maxBytes)];
  }
}

/** kafkajs decodes all records of a batch in one turn of the event loop; otherwise this is the same. */
async function decodeRecords(batch: Buffer): Promise<readonly ClientRecord[]> {
  const count = batch.readInt32BE(COUNT_AT);
  const { records: none, ...context } = await decodeBatch(new DecoderClass(emptyOf(batch)));
  if (count <= 0) return none;
  const codec = lookupCodecByAttributes(batch.readInt16BE(ATTRIBUTES_AT));
  const stored = batch.subarray(RECORDS_AT);
  const decoder = new DecoderClass(codec === null ? stored : await codec.decompress(stored));
  const shared = { ...context, magicByte: SUPPORTED_MAGIC };
  const records: ClientRecord[] = [];
  let turnEndsAtMs = systemClock.monotonicMs() + MAX_TURN_MS;
  for (let n = 1; n <= count; n++) {
    records.push(decodeRecord(new DecoderClass(decoder.readVarIntBytes()), shared));
    if (n % RECORDS_PER_LOOK === 0 && systemClock.monotonicMs() >= turnEndsAtMs) {
      await setImmediate();
      turnEndsAtMs = systemClock.monotonicMs() + MAX_TURN_MS;
    }
  }
  return records;
}

/** The header of a batch without records. */
function emptyOf(batch: Buffer): Buffer {
  const head = Buffer.from(batch.subarray(0, RECORDS_AT));
  head.writeInt32BE(RECORDS_AT - BATCH_HEAD_BYTES, BATCH_HEAD_BYTES - 4);
  head.writeInt16BE(head.readInt16BE(ATTRIBUTES_AT) & ~CODEC_MASK, ATTRIBUTES_AT);
  head.writeInt32BE(0, COUNT_AT);
  return head;
}

function markOf(batch: Buffer, maxBytes: number): ClientRecord {
  const firstOffset = Number(batch.readBigInt64BE(0));
  const lastOffset = lastOffsetOf(batch);
  const records = batch.readInt32BE(COUNT_AT);
  return {
    offset: String(lastOffset),
    timestamp: String(batch.readBigInt64BE(MAX_TIMESTAMP_AT)),
    key: null,
    value: null,
    headers: new OversizedBatch({
      ...{ firstOffset, lastOffset, records, maxBytes },
      compressedBytes: batch.length - RECORDS_AT,
    }),
    isControlRecord: false,
    batchContext: {
      producerId: String(batch.readBigInt64BE(PRODUCER_ID_AT)),
      inTransaction: (batch.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_MASK) !== 0,
    },
  };
}

/** The source of the module that decodes fetch answers in kafkajs: the parts that ours replaces are compared. */
const EXPECTED_PARTS = [
  'const messagesSize = decoder.readInt32()',
  'const recordBatch = await RecordBatchDecoder(messagesDecoder)',
  'records.push(...recordBatch.records)',
  'return MessageSetDecoder(messagesDecoder, messagesSize)',
];

/**
 * kafkajs 2.2.4 decodes all batches of a partition's answer, however large they are when decompressed, and passes the
 * records of a batch as arguments of a call: more than some 120,000 crash its consumer again and again. kafkajs loads
 * the decoder at the first answer, so it is replaced before.
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installBatchPatch(): void {
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const original = require(path) as DecodeMessages;
  if (original === (decodeMessages as unknown)) return;
  const module = require.cache[path];
  if (module === undefined || !EXPECTED_PARTS.every((part) => String(original).includes(part))) {
    throw new KafkaPortError(
      'DB_KAFKA_CLIENT_CHANGED',
      'kafkajs changed how it decodes fetch answers: check whether our patch of it is still needed, and adapt it',
    );
  }
  module.exports = decodeMessages;
}

async function decodeMessages(decoder: Decoder): Promise<ClientRecord[]> {
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  return (await decodeBatches(decoder.readBytes(size))).records;
}
