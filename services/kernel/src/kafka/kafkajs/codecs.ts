import { promisify } from 'node:util';
import { gunzip, gzip, type InputType, zstdCompress, zstdDecompress } from 'node:zlib';
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils';
import kafkajs from 'kafkajs';
import { batchBytesLimit, checkExpansion, ExpansionError, lz4Size, snappySize } from './expansion.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** The interface of a codec in kafkajs, which passes its encoder; only the bytes are needed. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(compressed: Buffer): Promise<Buffer>;
}

const zstdCompressAsync = promisify(zstdCompress);
const gzipAsync = promisify(gzip);

type Inflate = (
  compressed: InputType,
  options: { maxOutputLength: number; chunkSize: number },
  done: (error: Error | null, plain: Buffer) => void,
) => void;

/** Each piece costs a task of the thread pool: with zlib's 16 KiB, 16 MiB take 1,000 tasks, and four times as long. */
const MAX_PIECE_BYTES = 256 * 1024;
const MIN_PIECE_BYTES = 16 * 1024;
/** Texts shrink to about an eighth. The memory of a piece stays in use as long as a record in it. */
const USUAL_RATIO = 8;

/** zlib stops as soon as the output exceeds its limit. */
function bounded(inflate: Inflate, compressed: Buffer): Promise<Buffer> {
  const maxOutputLength = batchBytesLimit();
  const chunkSize = Math.min(Math.max(MIN_PIECE_BYTES, USUAL_RATIO * compressed.length), MAX_PIECE_BYTES);
  return new Promise((resolve, reject) => {
    inflate(compressed, { maxOutputLength, chunkSize }, (error, plain) => {
      if (error === null) resolve(plain);
      else reject((error as NodeJS.ErrnoException).code === TOO_LARGE ? new ExpansionError(maxOutputLength) : error);
    });
  });
}

const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE';

const gzipCodec: Codec = {
  compress: ({ buffer }) => gzipAsync(buffer),
  decompress: (compressed) => bounded(gunzip, compressed),
};

const zstd: Codec = {
  compress: ({ buffer }) => zstdCompressAsync(buffer),
  decompress: (compressed) => bounded(zstdDecompress, compressed),
};

const lz4: Codec = {
  compress: async ({ buffer }) => lz4Compress(buffer),
  decompress: async (compressed) => {
    checkExpansion(lz4Size(compressed));
    return lz4Decompress(compressed);
  },
};

const snappy: Codec = {
  compress: async ({ buffer }) => frameXerial(snappyCompress(buffer)),
  decompress: async (compressed) => {
    const blocks = unframeXerial(compressed);
    checkExpansion(blocks.reduce((sum, block) => sum + snappySize(block), 0));
    return blocks.length === 1 ? snappyDecompress(blocks[0] as Buffer) : Buffer.concat(blocks.map(snappyDecompress));
  },
};

/**
 * The Java client's Snappy format is that of xerial's `SnappyOutputStream`: a header, then blocks, each after its
 * length.
 */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, then the version and the oldest version that can read it, both 1. */
const XERIAL_HEADER = Buffer.concat([XERIAL_MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);

function frameXerial(block: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(block.length);
  return Buffer.concat([XERIAL_HEADER, length, block]);
}

/** Other clients write bare Snappy, which has no magic bytes: it is one block. */
function unframeXerial(compressed: Buffer): Buffer[] {
  if (!compressed.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return [compressed];
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER.length; at < compressed.length; ) {
    // Concatenated streams repeat the header in the middle of the stream.
    if (compressed.subarray(at, at + XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
      at += XERIAL_HEADER.length;
      continue;
    }
    const length = compressed.readInt32BE(at);
    blocks.push(compressed.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return blocks;
}

/**
 * kafkajs includes gzip only, and a batch in a codec that it lacks crashes its consumer permanently. Its own gzip has
 * no limit on the output, so it is replaced as well.
 */
export function installCodecs(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
}
