import { createRequire } from 'node:module';
import type { ConsumedRecord, TopicPartition } from '../records.ts';
import { toRecord } from './consumed-record.ts';
import { BATCH_HEAD_BYTES, type ClientRecord, decodeBatches } from './record-batches.ts';

/** The content of one partition's part of a fetch answer. */
export interface FetchedPartition extends TopicPartition {
  readonly errorCode: number;
  /** One past the last offset of the partition. */
  readonly highWatermark: number;
  /** Undefined if there is nothing: neither records nor control records. */
  readonly content: FetchedContent | undefined;
}

export type FetchedContent =
  | { readonly kind: 'records'; readonly records: readonly ConsumedRecord[]; readonly nextOffset: number }
  /** The next record batch exceeds the partition's share of the answer: `bytes` are needed. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** The content cannot be read: an unknown codec, damaged bytes. */
  | { readonly kind: 'unreadable'; readonly error: Error };

export interface FetchAnswer {
  readonly throttleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly partitions: readonly FetchedPartition[];
}

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: Decoder) => T): T[];
}

interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

const require = createRequire(import.meta.url);
const DecoderClass = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;
const withoutAborted = require('kafkajs/src/consumer/filterAbortedMessages') as (given: {
  messages: ClientRecord[];
  abortedTransactions: AbortedTransaction[];
}) => ClientRecord[];

/**
 * Decodes a Fetch answer of version 11. Unlike kafkajs, it confines an error of one partition to that partition.
 * @param positionOf the offset at which reading continues; a batch may start before it
 */
export async function decodeFetchAnswer(
  payload: Buffer,
  positionOf: (at: TopicPartition) => number | undefined,
): Promise<FetchAnswer> {
  const decoder = new DecoderClass(payload);
  const throttleTime = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const raw = decoder.readArray((forTopic) => {
    const topic = forTopic.readString();
    return forTopic.readArray((d) => ({
      topic,
      partition: d.readInt32(),
      errorCode: d.readInt16(),
      highWatermark: Number(d.readInt64().toString()),
      lastStableOffset: d.readInt64(),
      logStartOffset: d.readInt64(),
      aborted: d.readArray((one) => ({
        producerId: one.readInt64().toString(),
        firstOffset: one.readInt64().toString(),
      })),
      preferredReadReplica: d.readInt32(),
      bytes: d.readBytes(),
    }));
  });
  const partitions = await Promise.all(
    raw.flat().map(async ({ topic, partition, errorCode: code, highWatermark, aborted, bytes }) => {
      const from = positionOf({ topic, partition });
      const isEmpty = bytes === null || bytes.length === 0 || from === undefined;
      const content = isEmpty ? undefined : await contentOf(bytes, from, aborted);
      return { topic, partition, errorCode: code, highWatermark, content };
    }),
  );
  return { throttleTime, errorCode, sessionId, partitions };
}

async function contentOf(shared: Buffer, from: number, aborted: AbortedTransaction[]): Promise<FetchedContent> {
  // A copy: a record that is held for a day must not keep the whole answer, with all other customers' records, in
  // memory.
  const bytes = Buffer.from(shared);
  try {
    const { records: messages, nextOffset, cutBytes } = await decodeBatches(bytes);
    if (nextOffset === undefined) return { kind: 'cut', bytes: cutBytes ?? BATCH_HEAD_BYTES };
    const visible = aborted.length > 0 ? withoutAborted({ messages, abortedTransactions: aborted }) : messages;
    const records: ConsumedRecord[] = [];
    for (const message of visible) {
      if (!message.isControlRecord && Number(message.offset) >= from) records.push(toRecord(message));
    }
    return { kind: 'records', records, nextOffset };
  } catch (error) {
    return { kind: 'unreadable', error: error as Error };
  }
}
