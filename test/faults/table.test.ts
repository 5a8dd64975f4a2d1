import { tableOf } from './table.ts';

test('a row for each report, the skipped ones with their reason', () => {
  const report = { scenario: 'b', faults: [], seconds: 1, events: 12_345, delivered: 12_345, lost: 0 };
  const table = tableOf([
    { ...report, duplicates: 7, bound: 1_000, longestStallMs: 6_543 },
    { scenario: 'a', skipped: 'no room' },
  ]);
  const [head, rule, first, second] = table.split('\n');
  expect(new Set([head, rule, first, second].map((line) => line?.length)).size).toBe(1);
  expect(first).toContain('| a: skipped, no room |');
  expect(second?.split('|').map((cell) => cell.trim())).toEqual([
    '',
    'b',
    '12,345',
    '12,345',
    '0',
    '7',
    '1,000',
    '6.5 s',
    '',
  ]);
});
