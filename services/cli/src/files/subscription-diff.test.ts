import fc from 'fast-check';
import { differences, formatDifference } from './subscription-diff.ts';

test('what is new, gone and another, each at its place', () => {
  const before = { destination: { url: 'https://a', headers: { a: '1' } }, match: { folder: ['x'] }, ratePerSecond: 5 };
  const after = { destination: { url: 'https://b', headers: {} }, match: { folder: ['x', 'y z'] }, filter: 'a == "b"' };
  expect(differences(before, after).map(formatDifference)).toEqual([
    '  ~ destination.url: https://a → https://b',
    '  + destination.headers: {}',
    '  ~ match.folder: [x] → [x, y z]',
    '  + filter: a == "b"',
    '  - destination.headers.a: 1',
    '  - ratePerSecond: 5',
  ]);
});

test('no difference if, and only if, they are the same, whatever the order of keys', () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string()));
  const key = fc.constantFrom('a', 'b', 'c');
  const tree = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf)));
  const sorted = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, one]) => [name, sorted(one)]),
        )
      : value;
  fc.assert(
    fc.property(tree, tree, (before, after) => {
      const same = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
      expect(differences(before, after).length === 0).toBe(same);
      const turned = differences(after, before).map(({ place }) => place);
      expect(
        differences(before, after)
          .map(({ place }) => place)
          .sort(),
      ).toEqual(turned.sort());
    }),
  );
});
