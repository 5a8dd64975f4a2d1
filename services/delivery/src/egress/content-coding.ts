import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import type { AnswerHeaders } from './exchange.ts';

/** The limit of an answer that is decompressed: as much as is read of one that is not compressed. */
const MAX_DECODED_BYTES = 65_536;

/** The end of the answer may be missing: the part before it is decompressed nevertheless. */
const OPTIONS = { maxOutputLength: MAX_DECODED_BYTES, finishFlush: constants.Z_SYNC_FLUSH };

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes, OPTIONS),
  'x-gzip': (bytes) => gunzipSync(bytes, OPTIONS),
  // RFC 9110 §8.4.1.2: some servers leave the zlib format out.
  deflate: (bytes) => ((bytes[0] ?? 0) % 16 === 8 ? inflateSync(bytes, OPTIONS) : inflateRawSync(bytes, OPTIONS)),
  br: (bytes) =>
    brotliDecompressSync(bytes, {
      maxOutputLength: MAX_DECODED_BYTES,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    }),
  zstd: (bytes) =>
    zstdDecompressSync(bytes, { maxOutputLength: MAX_DECODED_BYTES, finishFlush: constants.ZSTD_e_flush }),
};

/**
 * Undoes an answer's `Content-Encoding`. We request no encoding, but RFC 9110 §12.5.3 then allows any, and gateways
 * compress without being asked: neither a token nor an echoed secret would be found.
 * @returns the bytes as they are if they are not compressed, in a way that is not known, or too large
 */
export function decoded(bytes: Buffer, headers: AnswerHeaders): Buffer {
  const codings = [headers['content-encoding'] ?? []].flat().flatMap((value) => value.toLowerCase().split(','));
  let plain = bytes;
  // The encodings in the order in which they were applied.
  for (const coding of codings.reverse()) {
    const name = coding.trim();
    const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
    if (decode === undefined) continue;
    try {
      plain = decode(plain);
    } catch {
      return bytes;
    }
  }
  return plain;
}
