import { parseCount, parseDuration, parseOffset, parsePort, parseTime } from './parse-arguments.ts';

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

test.each([
  [
    parseOffset,
    ['0', '999999999999999'],
    ['-1', '-0', '1e3', '1e-300', '0x1', '1.0', '9999999999999999', 'NaN', ''],
    /0 to 9{15}/,
  ],
  [parseCount, ['1', '9999999'], ['0', '-0', '01', '1e3', '1e300', '10000000', 'Infinity', ''], /1 to 9999999/],
  [parsePort, ['0', '65535'], ['65536', '-1', '1e3', '0x50', '80.0', ''], /0 to 65535/],
  [
    parseDuration,
    ['0s', '24d', '500ms'],
    ['25d', '24d1ms', '-1s', '1e3s', '1.5s', '30', '99999999999d', ''],
    /24d at most/,
  ],
])('%p takes what is in its range, and states it', (parse, taken, refused, words) => {
  for (const text of taken) expect(parse(text)).toBeGreaterThanOrEqual(0);
  for (const text of refused) expect(() => parse(text)).toThrow(words);
});
