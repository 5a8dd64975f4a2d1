import fc from 'fast-check';
import { format, median, quantile, ratios, reached, spread, verdictOf } from './measure.ts';

const measure = (values: number[], target?: { atLeast: number } | { atMost: number }) => ({
  ...{ row: 'r', name: 'n', unit: 'u', values },
  ...(target && { target }),
});

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 9])).toBe(3);
});

test('a quantile is a value that a given share does not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
  expect([0.5, 0.95, 0.99, 0.999, 1].map((share) => quantile(hundred, share))).toEqual([50, 95, 99, 100, 100]);
  expect(quantile([7], 0.5)).toBe(7);
});

test('whatever the values, at least that share of them is at or below the quantile, and it is one of them', () => {
  const values = fc.array(fc.integer(), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, share) => {
      const found = quantile(all, share);
      expect(all).toContain(found);
      expect(all.filter((value) => value <= found).length / all.length).toBeGreaterThanOrEqual(share);
    }),
  );
});

test('ratios pair what was measured in the same round, as far as both were', () => {
  expect(ratios([4, 9, 5], [2, 3])).toEqual([2, 3]);
});

test('a target is met from either side, and only below half of it is far off', () => {
  expect(verdictOf(measure([0.4], { atLeast: 0.4 }))).toBe('met');
  expect(verdictOf(measure([0.39], { atLeast: 0.4 }))).toBe('missed');
  expect(verdictOf(measure([0.19], { atLeast: 0.4 }))).toBe('far off');
  expect(verdictOf(measure([50], { atMost: 50 }))).toBe('met');
  expect(verdictOf(measure([100], { atMost: 50 }))).toBe('missed');
  expect(verdictOf(measure([101], { atMost: 50 }))).toBe('far off');
  expect(verdictOf(measure([3]))).toBe('no target');
});

test('none at all is met by none, and missed by far with a single one', () => {
  expect(verdictOf(measure([0], { atMost: 0 }))).toBe('met');
  expect(verdictOf(measure([1], { atMost: 0 }))).toBe('far off');
});

test('what could not be measured says so, whatever its target', () => {
  expect(verdictOf(measure([], { atLeast: 1.5 }))).toBe('not measured');
  expect(reached(measure([], { atLeast: 1.5 }))).toBeUndefined();
});

test('one round, with an odd value, does not decide', () => {
  expect(verdictOf(measure([0.5, 0.1, 0.45], { atLeast: 0.4 }))).toBe('met');
  expect(spread([0.5, 0.1, 0.45])).toBe('0.1 – 0.5');
  expect(spread([0.5])).toBe('');
});

test('figures show three digits that count', () => {
  expect([12_345.6, 100.4, 12.345, 0.039_96, 0].map(format)).toEqual(['12,346', '100', '12.3', '0.04', '0']);
});
