import { plot } from './plot.ts';

const widths = (svg: string) =>
  [...svg.matchAll(/<rect x="400" y="\d+" width="(\d+)"/g)].map(([, width]) => Number(width));

test('a bar is as long as the share of the target that is reached, whichever way the target points', () => {
  const svg = plot([
    { row: 'a', name: 'fast', unit: '×', values: [0.8], target: { atLeast: 0.8 } },
    { row: 'b', name: 'small', unit: 'MiB', values: [300], target: { atMost: 300 } },
    { row: 'c', name: 'slow', unit: '×', values: [0.4], target: { atLeast: 0.8 } },
    { row: 'd', name: 'very fast', unit: '×', values: [80], target: { atLeast: 0.8 } },
    { row: 'e', name: 'without a target', unit: 's', values: [1] },
  ]);
  const [met, alsoMet, half, farBeyond, ...more] = widths(svg);
  expect(more).toEqual([]);
  expect(alsoMet).toBe(met);
  expect(Math.abs((half as number) * 2 - (met as number))).toBeLessThanOrEqual(1);
  expect(farBeyond).toBe(3 * (met as number));
});

test('what it says is text, not markup', () => {
  expect(plot([{ row: 'a & b', name: 'x < y', unit: '×', values: [1], target: { atLeast: 1 } }])).toContain(
    'a &amp; b: x &lt; y',
  );
});
