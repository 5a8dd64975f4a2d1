import { createRequire } from 'node:module';
import { toRecord } from '../consumed-record.ts';
import { ExcessHeaders, installHeaderPatch, MAX_HEADER_BYTES, MAX_HEADERS } from './header-patch.ts';

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder');
const Encoder = require('kafkajs/src/protocol/encoder');
const decodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder');

installHeaderPatch();

/** The fields of a record after its length, as a producer of any kind may write them. */
function record(headers: readonly (readonly [string, string | null])[]): Buffer {
  const encoder = new Encoder().writeInt8(0).writeVarLong(0).writeVarInt(0);
  encoder.writeVarIntBytes(null).writeVarIntBytes(Buffer.from('value')).writeVarInt(headers.length);
  for (const [name, value] of headers) {
    encoder.writeVarIntString(name).writeVarIntBytes(value === null ? null : Buffer.from(value));
  }
  return encoder.buffer;
}

const headersOf = (headers: readonly (readonly [string, string | null])[]) =>
  decodeRecord(new Decoder(record(headers)), { firstOffset: '7', firstTimestamp: '0' }).headers;

const texts = (headers: object) => JSON.parse(JSON.stringify(headers, (_name, value) => textOf(value)));
const textOf = (value: unknown) =>
  typeof value === 'object' && value !== null && 'data' in value
    ? Buffer.from(value.data as number[]).toString()
    : value;

test('headers are decoded as kafkajs does: one value, or an array of several', () => {
  expect(texts(headersOf([]))).toEqual({});
  expect(
    texts(
      headersOf([
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
        ['a', '4'],
        ['n', null],
      ]),
    ),
  ).toEqual({
    a: ['1', '3', '4'],
    b: '2',
    n: null,
  });
});

test('a header may have any name, those of every object included', () => {
  const headers = headersOf([
    ['constructor', '1'],
    ['toString', '2'],
    ['__proto__', '3'],
    ['__proto__', '4'],
  ]);
  expect(Object.keys(headers)).toEqual(['constructor', 'toString', '__proto__']);
  expect(headers.constructor.toString()).toBe('1');
  expect(Object.getOwnPropertyDescriptor(headers, '__proto__')?.value.map(String)).toEqual(['3', '4']);
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
});

test.each([
  ['many', Array.from({ length: 100_000 }, (_, n) => [`h${n}`, ''] as const), 100_000],
  ['the same one often', Array.from({ length: MAX_HEADERS + 1 }, () => ['h', ''] as const), MAX_HEADERS + 1],
  ['large', [['h', 'x'.repeat(MAX_HEADER_BYTES)] as const], 1],
])('a record with headers that are %s has none, and says so', (_what, given, count) => {
  const headers = headersOf(given);
  expect(headers).toBeInstanceOf(ExcessHeaders);
  expect(Object.keys(headers)).toEqual([]);
  const value = Buffer.from('value');
  const message = { offset: '7', timestamp: '0', key: null, value, headers };
  expect(toRecord(message)).toEqual({
    ...{ offset: 7, timestampMs: 0, key: null, value, headers: {} },
    excessHeaders: { count, bytes: expect.any(Number) },
  });
});

test('as many headers as are decoded take time in proportion to their number', () => {
  const most = Array.from({ length: MAX_HEADERS }, (_, n) => [`h${n}`, 'v'] as const);
  expect(Object.keys(headersOf(most))).toHaveLength(MAX_HEADERS);
});

test('another release of kafkajs is not patched blindly', () => {
  class Changed {
    readVarIntArray() {
      return 'mended';
    }
  }
  const refusal = expect.objectContaining({ code: 'DB_KAFKA_CLIENT_CHANGED' });
  expect(() => installHeaderPatch(Changed)).toThrow(refusal);
  expect(() => installHeaderPatch(Decoder, () => 'mended')).toThrow(refusal);
});
