import { createRequire } from 'node:module';
import { zstdCompressSync } from 'node:zlib';
import { lz4Compress } from '@platformatic/wasm-utils';
import { CompressionTypes } from 'kafkajs';
import { installCodecs } from './codecs.ts';
import { toRecord, toRecordOrMark } from './consumed-record.ts';
import { DEFAULT_MAX_BATCH_BYTES, limitBatchBytes, lz4Size } from './expansion.ts';
import { installHeaderPatch } from './patches/header-patch.ts';
import { decodeBatches, installBatchPatch } from './record-batches.ts';

const require = createRequire(import.meta.url);
const encodeBatch = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: Encode };
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => unknown;
type Encode = (batch: object) => Promise<{ readonly buffer: Buffer }>;

beforeAll(() => {
  installHeaderPatch();
  installCodecs();
});
afterEach(() => limitBatchBytes(DEFAULT_MAX_BATCH_BYTES));

async function batchOf(values: readonly Buffer[], compression: CompressionTypes, firstOffset = 0): Promise<Buffer> {
  const records = values.map((value, offsetDelta) => encodeRecord({ offsetDelta, timestampDelta: 0, value }));
  const { buffer } = await encodeBatch.RecordBatch({
    ...{ records, compression, firstOffset },
    ...{ firstTimestamp: 5, maxTimestamp: 7, lastOffsetDelta: values.length - 1, firstSequence: 0 },
  });
  return buffer;
}

/** One record again and again: kafkajs's encoder takes a minute for so many. */
async function repeated(count: number, compress?: (plain: Buffer) => Buffer): Promise<Buffer> {
  const RECORDS_AT = 61;
  const one = await batchOf([Buffer.from('x')], CompressionTypes.None);
  const plain = Buffer.concat(Array(count).fill(one.subarray(RECORDS_AT)));
  const head = Buffer.from(one.subarray(0, RECORDS_AT));
  const body = compress?.(plain) ?? plain;
  head.writeInt32BE(RECORDS_AT - 12 + body.length, 8);
  head.writeInt16BE(compress ? CompressionTypes.ZSTD : CompressionTypes.None, 21);
  head.writeInt32BE(count, 57);
  return Buffer.concat([head, body]);
}

const CODECS = [
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;

test.each(CODECS)(
  '%s: a batch that expands too far becomes one mark, and what stands around it is read',
  async (_name, codec) => {
    limitBatchBytes(1024 * 1024);
    const legal = Array.from({ length: 20 }, (_, n) => Buffer.alloc(40_000, n));
    const bomb = Array.from({ length: 30 }, (_, n) => Buffer.alloc(40_000, n));
    const bytes = Buffer.concat([
      await batchOf(legal, codec),
      await batchOf(bomb, codec, 20),
      await batchOf([Buffer.from('after')], codec, 50),
    ]);
    const { records, nextOffset } = await decodeBatches(bytes);
    expect(nextOffset).toBe(51);
    expect(records.map(({ offset }) => Number(offset))).toEqual([...legal.keys(), 49, 50]);
    // Compared as a whole: jest compares buffers byte by byte, which takes seconds.
    expect(Buffer.concat(records.slice(0, 20).map(({ value }) => value as Buffer)).equals(Buffer.concat(legal))).toBe(
      true,
    );
    expect(records.at(-1)?.value?.toString()).toBe('after');
    const mark = records[20];
    if (mark === undefined) throw new Error('no mark');
    expect(toRecordOrMark(mark).oversizedBatch).toMatchObject({
      ...{ firstOffset: 20, lastOffset: 49, records: 30, maxBytes: 1024 * 1024 },
    });
    expect(() => toRecord(mark)).toThrow(/offsets 20 to 49 is larger than 1048576 bytes/);
  },
);

test('a batch that claims more records than may be in memory is not decompressed', async () => {
  limitBatchBytes(1024 * 1024);
  const { records } = await decodeBatches(await repeated(20_000, zstdCompressSync));
  expect(records).toHaveLength(1);
  expect(records[0] && toRecordOrMark(records[0]).oversizedBatch).toMatchObject({ records: 20_000 });
});

test('a partition’s batches are decoded until enough is in memory; the next fetch brings the others', async () => {
  const large = await batchOf([Buffer.alloc(9_000_000)], CompressionTypes.ZSTD);
  const { records, nextOffset } = await decodeBatches(
    Buffer.concat([large, await batchOf([Buffer.alloc(9_000_000)], CompressionTypes.ZSTD, 1), large]),
  );
  expect([records.length, nextOffset]).toEqual([2, 2]);
});

test('of batches that are too large, one is looked at in a fetch; what came before it is kept', async () => {
  limitBatchBytes(DEFAULT_MAX_BATCH_BYTES);
  const bomb = await batchOf([Buffer.alloc(DEFAULT_MAX_BATCH_BYTES)], CompressionTypes.ZSTD, 1);
  const { records, nextOffset } = await decodeBatches(
    Buffer.concat([await batchOf([Buffer.from('before')], CompressionTypes.ZSTD), bomb, bomb]),
  );
  expect(records).toHaveLength(2);
  expect(records[0]?.value?.toString()).toBe('before');
  expect(nextOffset).toBe(2);
});

test('while a batch of very many records is decoded, the event loop turns', async () => {
  const bytes = await repeated(40_000);
  let turns = 0;
  const count = () => {
    turns += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const { records } = await decodeBatches(bytes);
  clearImmediate(next);
  expect(records).toHaveLength(40_000);
  // It takes 40 ms on the fastest machine, in turns of 3.
  expect(turns).toBeGreaterThanOrEqual(3);
});

test('records are decoded as kafkajs decodes them', async () => {
  const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder');
  const Decoder = require('kafkajs/src/protocol/decoder');
  for (const codec of [CompressionTypes.None, CompressionTypes.GZIP]) {
    const batch = await batchOf([Buffer.from('a'), Buffer.alloc(0), Buffer.from('c')], codec, 2 ** 40);
    const { records } = await decodeBatches(batch);
    expect(records).toEqual((await decodeBatch(new Decoder(batch))).records);
    expect(records).toHaveLength(3);
  }
});

test('kafkajs decodes by it: 150,000 records in one batch are no arguments of a call', async () => {
  installBatchPatch();
  installBatchPatch();
  const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
  const Decoder = require('kafkajs/src/protocol/decoder');
  const batch = await repeated(150_000);
  const size = Buffer.alloc(4);
  size.writeInt32BE(batch.length);
  expect(await decodeMessages(new Decoder(Buffer.concat([size, batch])))).toHaveLength(150_000);
  expect(await decodeMessages(new Decoder(Buffer.alloc(4)))).toEqual([]);
});

test.each([
  ['one letter', Buffer.alloc(3_000_000, 'a')],
  ['random', Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * n * 7919) % 251))],
  ['lines', Buffer.from(Array.from({ length: 50_000 }, (_, n) => `line ${n} of ${n % 7}`).join('\n'))],
])('LZ4’s size is known before it is decompressed: %s', (_name, plain) => {
  limitBatchBytes(1);
  const compressed = Buffer.from(lz4Compress(plain));
  expect(lz4Size(compressed)).toBe(plain.length);
  expect(lz4Size(Buffer.concat([compressed, compressed]))).toBe(2 * plain.length);
  expect(lz4Size(compressed.subarray(0, compressed.length >> 1))).toBeLessThanOrEqual(plain.length);
});
