import { absoluteTime, lengthOf, momentOf, relativeTime, wallTime } from './words.ts';

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [61_000, '1 min 1 s'],
  [3 * 3_600_000 + 10 * 60_000 + 5_000, '3 h 10 min'],
  [86_400_000, '1 d'],
  [-5, '0 s'],
])('%d ms is %s', (ms, words) => {
  expect(lengthOf(ms)).toBe(words);
});

test('how long ago, and in how long', () => {
  expect([relativeTime(0, 180_000), relativeTime(90_000, 0), relativeTime(0, 500)]).toEqual([
    '3 min ago',
    'in 1 min 30 s',
    'now',
  ]);
});

/** In 2026, clocks in Berlin go back on 25 October at 01:00 UTC, those in New York on 1 November at 06:00 UTC. */
test.each([
  ['Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25 02:30:00 GMT+2'],
  ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25 02:30:00 GMT+1'],
  ['America/New_York', '2026-11-01T05:30:00Z', '2026-11-01 01:30:00 GMT-4'],
  ['America/New_York', '2026-11-01T06:30:00Z', '2026-11-01 01:30:00 GMT-5'],
])('in %s, the hour that comes twice is told apart: %s', (zone, date, words) => {
  expect(absoluteTime(Date.parse(date), zone, undefined).replace('−', '-')).toBe(words);
});

test('the day of a time is left out when it is today, in the zone that is shown', () => {
  const nowMs = Date.parse('2026-07-01T22:30:00Z');
  const ms = Date.parse('2026-07-01T21:30:00Z');
  expect(absoluteTime(ms, 'UTC', nowMs)).toBe('21:30:00 GMT+0');
  expect(absoluteTime(ms, 'Europe/Berlin', nowMs)).toBe('2026-07-01 23:30:00 GMT+2');
});

test.each([
  // The first of two, and an hour that is left out.
  ['2026-10-25T02:30:00', 'Europe/Berlin', '2026-10-25T00:30:00.000Z', '2026-10-25T02:30:00'],
  ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z', '2026-03-29T03:30:00'],
  ['2026-11-01T01:30:05', 'America/New_York', '2026-11-01T05:30:05.000Z', '2026-11-01T01:30:05'],
  ['2026-11-01T03:00', 'America/New_York', '2026-11-01T08:00:00.000Z', '2026-11-01T03:00:00'],
  ['2026-07-01T12:00', 'Asia/Kathmandu', '2026-07-01T06:15:00.000Z', '2026-07-01T12:00:00'],
])('%s on a wall in %s is %s', (wall, zone, moment, shown) => {
  const ms = momentOf(wall, zone) ?? Number.NaN;
  expect([new Date(ms).toISOString(), wallTime(ms, zone)]).toEqual([moment, shown]);
});

test.each(['', '2026-13-01T00:00', 'now'])('%j is no time', (wall) => {
  expect(momentOf(wall, 'UTC')).toBeUndefined();
});
