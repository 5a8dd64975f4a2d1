import { createRequire } from 'node:module';
import type { WireRequest } from './wire-requests.ts';

/** Kafka's keys of the requests below. */
const OFFSET_FETCH = { apiKey: 9, apiVersion: 8, apiName: 'OffsetFetch' } as const;
const FIND_COORDINATOR = { apiKey: 10, apiVersion: 4, apiName: 'FindCoordinator' } as const;
const GROUP = 0;
const NO_TAGS = 0;

export interface FoundCoordinator {
  readonly groupId: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
}

export interface FetchedGroup {
  readonly groupId: string;
  readonly errorCode: number;
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly metadata: string | null;
    readonly errorCode: number;
  }[];
}

interface Encoder {
  writeInt8(value: number): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
}

interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: () => T): T[] | null;
  readTaggedFields(): unknown;
}

const require = createRequire(import.meta.url);

/**
 * Finds the coordinators of several groups in one request (KIP-699). kafkajs encodes only the versions before, which
 * ask for one group; every broker since Kafka 3.0 answers this one.
 */
export function findCoordinators(groupIds: readonly string[]): WireRequest<readonly FoundCoordinator[]> {
  return flexible(
    FIND_COORDINATOR,
    (encoder) => {
      encoder.writeInt8(GROUP).writeUVarInt(groupIds.length + 1);
      for (const groupId of groupIds) encoder.writeUVarIntString(groupId);
    },
    (decoder) =>
      arrayOf(decoder, () => {
        const groupId = decoder.readUVarIntString() ?? '';
        const nodeId = decoder.readInt32();
        const host = decoder.readUVarIntString() ?? '';
        const port = decoder.readInt32();
        const errorCode = decoder.readInt16();
        decoder.readUVarIntString();
        decoder.readTaggedFields();
        return { groupId, nodeId, host, port, errorCode };
      }),
  );
}

/**
 * Fetches all committed offsets of several groups in one request (KIP-709); every broker since Kafka 3.0 answers it.
 */
export function fetchOffsets(groupIds: readonly string[]): WireRequest<readonly FetchedGroup[]> {
  const allTopics = 0;
  const requireStable = 0;
  return flexible(
    OFFSET_FETCH,
    (encoder) => {
      encoder.writeUVarInt(groupIds.length + 1);
      for (const groupId of groupIds) encoder.writeUVarIntString(groupId).writeUVarInt(allTopics).writeUVarInt(NO_TAGS);
      encoder.writeInt8(requireStable);
    },
    (decoder) =>
      arrayOf(decoder, () => {
        const groupId = decoder.readUVarIntString() ?? '';
        const offsets = arrayOf(decoder, () => {
          const topic = decoder.readUVarIntString() ?? '';
          const partitions = arrayOf(decoder, () => readOffset(decoder, topic));
          decoder.readTaggedFields();
          return partitions;
        }).flat();
        const errorCode = decoder.readInt16();
        decoder.readTaggedFields();
        return { groupId, errorCode, offsets };
      }),
  );
}

function readOffset(decoder: Decoder, topic: string): FetchedGroup['offsets'][number] {
  const partition = decoder.readInt32();
  const offset = Number(decoder.readInt64().toString());
  // The leader's epoch at the time of the commit.
  decoder.readInt32();
  const metadata = decoder.readUVarIntString();
  const errorCode = decoder.readInt16();
  decoder.readTaggedFields();
  return { topic, partition, offset, metadata, errorCode };
}

/**
 * kafkajs writes the header of the versions before. In these, the header of a request ends with tagged fields, and so
 * does that of an answer: they are treated as the first part of the body. Both answers state how long the broker
 * throttles.
 */
function flexible<Item>(
  request: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string },
  encode: (encoder: Encoder) => void,
  decode: (decoder: Decoder) => readonly Item[],
): WireRequest<readonly Item[]> {
  const KafkajsEncoder = require('kafkajs/src/protocol/encoder') as new () => Encoder;
  const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
  const encodeAll = async () => {
    const encoder = new KafkajsEncoder();
    encoder.writeUVarInt(NO_TAGS);
    encode(encoder);
    return encoder.writeUVarInt(NO_TAGS);
  };
  return {
    request: { ...request, encode: encodeAll } as WireRequest<unknown>['request'],
    response: {
      decode: async (payload) => {
        const decoder = new KafkajsDecoder(payload);
        decoder.readTaggedFields();
        const clientSideThrottleTime = decoder.readInt32();
        return Object.assign([...decode(decoder)], { clientSideThrottleTime });
      },
      parse: async (decoded) => decoded,
    },
  };
}

function arrayOf<T>(decoder: Decoder, read: () => T): T[] {
  return decoder.readUVarIntArray(read) ?? [];
}
