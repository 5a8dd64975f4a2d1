/**
 * Limits of the shape of input documents, checked before any recursive code: validators, mappers and serializers walk a
 * document level by level, and a document can be nested deeper than the stack.
 */

/** Our documents have at most twelve levels. */
export const MAX_DEPTH = 64;
/** The limit of values of one JSON body: each may become a mistake with a place and a text. */
const MAX_VALUES = 20_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * @returns the mistake in the shape of a JSON text, as the end of a sentence; undefined also for a text that is not
 *   JSON
 */
export function jsonShapeMistake(text: string): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        if (++values > MAX_VALUES) return `contains more than ${MAX_VALUES} values`;
        break;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at++;
  }
  return text.length;
}
