/** Writes the bytes of one JSON document from the beginning to the end. */
import { isUtf8 } from 'node:buffer';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SHORT_BYTES = 64;
const FIRST_BYTES = 16_384;
/** An escaped byte takes at most six: `\u001f`. */
const MOST_BYTES_EACH = 6;

/** Indexed by byte: 0 if JSON strings need no escape for it, otherwise the escape that `JSON.stringify` writes. */
const ESCAPES: readonly (0 | Buffer)[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) return 0;
  return Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1));
});
const IS_ESCAPED = Uint8Array.from(ESCAPES, (written) => (written === 0 ? 0 : 1));

/** Used again for each document, so that writing one allocates only its result. */
export class JsonOutput {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** The number of bytes that have been written. */
  get length(): number {
    return this.#at;
  }

  /** Begins a document. */
  reset(): void {
    this.#at = 0;
  }

  /** A copy of the written bytes. */
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  /** @param text JSON */
  text(text: string): void {
    this.#reserve(text.length * 3);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** @param json as UTF-8; short, such as a field's name */
  raw(json: Uint8Array): void {
    this.#reserve(json.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < json.length; i++) bytes[at++] = json[i] as number;
    this.#at = at;
  }

  /** Writes over a comma after the last member, or appends after `{` or `[` if there is none. */
  close(bracket: number): void {
    if (this.#bytes[this.#at - 1] === COMMA) this.#at--;
    this.#reserve(1);
    this.#bytes[this.#at++] = bracket;
  }

  /**
   * Writes a JSON string of the UTF-8 between `from` and `to`, as `JSON.stringify` of the decoded text would write it:
   * bytes that are not UTF-8 become U+FFFD.
   */
  string(source: Buffer, from: number, to: number): void {
    this.#reserve((to - from) * MOST_BYTES_EACH + 2);
    let seen = 0;
    let escaped = 0;
    for (let i = from; i < to; i++) {
      const byte = source[i] as number;
      seen |= byte;
      escaped |= IS_ESCAPED[byte] as number;
    }
    if (seen >= 0x80 && !isUtf8(source.subarray(from, to))) {
      this.text(JSON.stringify(source.toString('utf8', from, to)));
      return;
    }
    this.#bytes[this.#at++] = QUOTE;
    // A native copy is faster only for long texts.
    if (escaped === 0 && to - from > SHORT_BYTES) this.#at += source.copy(this.#bytes, this.#at, from, to);
    else this.#escape(source, from, to);
    this.#bytes[this.#at++] = QUOTE;
  }

  #escape(source: Buffer, from: number, to: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = from; i < to; i++) {
      const byte = source[i] as number;
      if (IS_ESCAPED[byte] === 0) bytes[at++] = byte;
      else for (const one of ESCAPES[byte] as Buffer) bytes[at++] = one;
    }
    this.#at = at;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
