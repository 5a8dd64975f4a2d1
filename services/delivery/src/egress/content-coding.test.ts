import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decoded } from './content-coding.ts';

const TEXT = JSON.stringify({ access_token: 'tok-1', text: 'x'.repeat(1_000) });
const text = (bytes: Buffer, coding?: string | string[]) => decoded(bytes, { 'content-encoding': coding }).toString();

test.each<[string | string[] | undefined, Buffer]>([
  [undefined, Buffer.from(TEXT)],
  ['identity', Buffer.from(TEXT)],
  ['gzip', gzipSync(TEXT)],
  ['GZIP', gzipSync(TEXT)],
  ['x-gzip', gzipSync(TEXT)],
  ['deflate', deflateSync(TEXT)],
  ['deflate', deflateRawSync(TEXT)],
  ['br', brotliCompressSync(TEXT)],
  ['zstd', zstdCompressSync(TEXT)],
  ['deflate, gzip', gzipSync(deflateSync(TEXT))],
  [['deflate', 'gzip'], gzipSync(deflateSync(TEXT))],
])('%j', (coding, bytes) => {
  expect(text(bytes, coding)).toBe(TEXT);
});

test('what was cut off is decompressed as far as it came', () => {
  const long = Array.from({ length: 2_000 }, (_, n) => `line ${n}`).join();
  const cut = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
  for (const [coding, bytes] of [
    ['gzip', gzipSync(long)],
    ['br', brotliCompressSync(long)],
  ] as const) {
    expect(text(cut(bytes), coding)).toMatch(/^line 0,line 1,/);
  }
});

test('what can’t be decompressed, or becomes too large, is left as it is', () => {
  expect(text(Buffer.from('plain'), 'gzip')).toBe('plain');
  expect(text(Buffer.from('plain'), 'snappy')).toBe('plain');
  expect(text(Buffer.from('plain'), '__proto__')).toBe('plain');
  expect(text(Buffer.from('plain'), 'constructor')).toBe('plain');
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  expect(decoded(bomb, { 'content-encoding': 'gzip' })).toBe(bomb);
});
