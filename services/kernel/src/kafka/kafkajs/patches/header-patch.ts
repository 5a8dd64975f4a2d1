import { createRequire } from 'node:module';
import { KafkaPortError } from '../../errors.ts';
import { patchMethod } from './patch-method.ts';

/** More headers than this are no meaningful record of a producer: tracing and routing need a few dozen at most. */
export const MAX_HEADERS = 1_000;
/** The limit of names and values together, in bytes. */
export const MAX_HEADER_BYTES = 256 * 1024;

/** Replaces the headers of a record that has more of them than we decode. It contains none. */
export class ExcessHeaders {
  readonly #count: number;
  readonly #bytes: number;

  constructor(count: number, bytes: number) {
    this.#count = count;
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }
}

interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readVarInt(): number;
  readVarIntString(): string | null;
  readVarIntBytes(): Buffer | null;
}

type Value = Buffer | null;

/** Replaces the array that kafkajs folds into an object: see {@link installHeaderPatch}. */
interface Folded {
  reduce(): Record<string, Value | Value[]> | ExcessHeaders;
}

const EXPECTED_SOURCE = `readVarIntArray(reader) {
    const length = this.readVarInt()

    if (length === -1) {
      return []
    }

    const array = new Array(length)
    for (let i = 0; i < length; i++) {
      array[i] = reader(this)
    }

    return array
  }`;

/** The interface by which the record decoder uses the method. No other part of kafkajs calls it. */
const EXPECTED_USE = 'const headers = decoder.readVarIntArray(HeaderDecoder).reduce(';

/** The headers are the last part of a record, so the remaining bytes are theirs. */
function readVarIntArray(this: Decoder): Folded {
  const count = this.readVarInt();
  const bytes = this.buffer.length - this.offset;
  if (count > MAX_HEADERS || bytes > MAX_HEADER_BYTES) {
    this.offset = this.buffer.length;
    const excess = new ExcessHeaders(count, bytes);
    return { reduce: () => excess };
  }
  const headers: Record<string, Value | Value[]> = {};
  for (let i = 0; i < count; i++) addHeader(headers, this.readVarIntString() ?? '', this.readVarIntBytes());
  return { reduce: () => headers };
}

function addHeader(headers: Record<string, Value | Value[]>, name: string, value: Value): void {
  // A header may have the name of a property that every object inherits, such as "constructor".
  if (!Object.hasOwn(headers, name)) {
    if (name === '__proto__') Object.defineProperty(headers, name, { value, ...LIKE_ANY });
    else headers[name] = value;
    return;
  }
  const before = headers[name] as Value | Value[];
  if (Array.isArray(before)) before.push(value);
  else if (name === '__proto__') Object.defineProperty(headers, name, { value: [before, value], ...LIKE_ANY });
  else headers[name] = [before, value];
}

const LIKE_ANY = { enumerable: true, configurable: true, writable: true };

/**
 * kafkajs 2.2.4 copies all headers of a record for each header: a record of 1 MB with 100,000 small headers keeps the
 * process busy for minutes, and the process that takes its partition over likewise. Ours takes time in proportion to
 * the bytes, and doesn't decode more than {@link MAX_HEADERS} headers.
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installHeaderPatch(
  decoder: { name: string; prototype: object } = createRequire(import.meta.url)('kafkajs/src/protocol/decoder'),
  recordDecoder: unknown = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/record/v0/decoder'),
): void {
  if (!String(recordDecoder).includes(EXPECTED_USE)) {
    throw new KafkaPortError(
      'DB_KAFKA_CLIENT_CHANGED',
      'kafkajs changed how it decodes records: check whether our patch of header decoding is still needed, and adapt it',
    );
  }
  patchMethod(decoder, 'readVarIntArray', EXPECTED_SOURCE, readVarIntArray);
}
