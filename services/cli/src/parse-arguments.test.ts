import { parseTime } from './parse-arguments.ts';

test.each([
  ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31T12:00:01.5Z', '2026-01-31T12:00:01.500Z'],
  ['2026-01-31T12:00+01:00', '2026-01-31T11:00:00.000Z'],
  ['2026-01-31T12:00+0100', '2026-01-31T11:00:00.000Z'],
  ['2026-01-31 12:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
])('%s', (text, iso) => {
  expect(parseTime(text).toISOString()).toBe(iso);
});

test('a duration is so long ago', () => {
  const before = Date.now();
  expect(parseTime('24h').getTime()).toBeGreaterThanOrEqual(before - 86_400_000);
  expect(parseTime('24h').getTime()).toBeLessThanOrEqual(Date.now() - 86_400_000);
});

test.each([
  ...['1', '0', '-1', '2026', 'acme 1', 'yesterday', '1767225600', '31/01/2026', 'Jan 31 2026', ''],
  // Local time is another on each machine.
  ...['2026-01-31T12:00', '2026-02-30', '2026-02-30T00:00Z', '2025-02-29', '2026-13-01', '99999999999d'],
])('"%s" is no time', (text) => {
  expect(() => parseTime(text)).toThrow(/Write 2026-01-31T12:00Z/);
});
