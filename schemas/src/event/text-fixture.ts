import fc from 'fast-check';

const SURROGATES = { from: 0xd800, count: 0x800 };

/** Any code point but surrogates, each by itself no text. */
const codePoint = fc
  .nat(0x10ffff - SURROGATES.count)
  .map((nth) => String.fromCodePoint(nth < SURROGATES.from ? nth : nth + SURROGATES.count));

/**
 * Any text, control characters and those beyond 16 bits included. Fast-check's own unit `binary` has the same characters, and
 * fills a map with all of them first, which takes more than a second.
 */
export const anyText = (constraints: { readonly maxLength?: number } = {}) =>
  fc.string({ ...constraints, unit: codePoint });
