import fc from 'fast-check';
import { contains } from './filter-functions.ts';

test('a text contains what String.includes finds in it', () => {
  // Few different characters, so that what is looked for often begins and seldom ends.
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 80 });
  fc.assert(
    fc.property(text, text, fc.nat(60), (before, searched, length) => {
      const haystack = `${before}${searched.slice(0, length)}${before}${searched}`.slice(0, 120);
      expect(contains(haystack, searched)).toBe(haystack.includes(searched));
    }),
    { numRuns: 500 },
  );
});

test('a long text is found at the end, and nothing is found in a shorter one', () => {
  const searched = `${'a'.repeat(900)}b${'a'.repeat(900)}`;
  expect(contains(`${'a'.repeat(1_000_000)}b${'a'.repeat(900)}`, searched)).toBe(true);
  expect(contains('a'.repeat(1_000_000), searched)).toBe(false);
  expect(contains('a'.repeat(1_800), searched)).toBe(false);
});
