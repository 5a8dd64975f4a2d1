import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { outcomeOf, parseRetryAfter } from './outcome.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

test.each([
  [200, 'delivered'],
  [202, 'delivered'],
  [204, 'delivered'],
  [301, 'refused'],
  [302, 'refused'],
  [400, 'refused'],
  [401, 'deauthorized'],
  [403, 'deauthorized'],
  [404, 'refused'],
  [407, 'deauthorized'],
  [408, 'retry'],
  [409, 'retry'],
  [410, 'gone'],
  [413, 'refused'],
  [421, 'retry'],
  [422, 'refused'],
  [425, 'retry'],
  [429, 'retry'],
  [500, 'retry'],
  [502, 'retry'],
  [503, 'retry'],
  [504, 'retry'],
  [599, 'retry'],
])('status %d is %s', (status, kind) => {
  expect(outcomeOf({ status }, NOW, HOUR_MS).kind).toBe(kind);
});

test('Retry-After counts on 429 and 503 only, and no longer than the cap', () => {
  const waits = (status: number, retryAfter: string) => {
    const outcome = outcomeOf({ status, retryAfter }, NOW, HOUR_MS);
    return 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined;
  };
  expect(waits(429, '7')).toBe(7_000);
  expect(waits(503, '120')).toBe(120_000);
  expect(waits(500, '7')).toBeUndefined();
  expect(waits(429, '999999999')).toBe(HOUR_MS);
});

test.each([
  ['twice, joined by a proxy', '7, 7', 7_000],
  ['two dates, joined by a proxy', 'Thu, 01 Jan 2026 00:00:30 GMT, Thu, 01 Jan 2026 00:00:40 GMT', 40_000],
  ['seconds and a date, joined by a proxy', '50, Thu, 01 Jan 2026 00:00:30 GMT', 50_000],
  ['a date and seconds, joined by a proxy', 'Thursday, 01-Jan-26 00:00:30 GMT,7', 30_000],
  ['a date and seconds, in two headers', ['Thu, 01 Jan 2026 00:00:30 GMT', '7'], 30_000],
])('Retry-After %s', (_what, retryAfter, retryAfterMs) => {
  expect(outcomeOf({ status: 503, retryAfter }, NOW, HOUR_MS)).toMatchObject({ kind: 'retry', retryAfterMs });
});

test('2xx headers are acceptance, whatever became of the body', () => {
  const note = 'the body is incomplete: UND_ERR_SOCKET: other side closed';
  expect(outcomeOf({ status: 202, bodyTrouble: note }, NOW, HOUR_MS)).toEqual({ kind: 'delivered', status: 202, note });
  const refused = outcomeOf({ status: 422, bodyTrouble: note }, NOW, HOUR_MS);
  expect(refused).toEqual({ kind: 'refused', status: 422, reason: `status 422 (${note})` });
});

test.each([
  ['0', undefined],
  ['-5', undefined],
  ['1.5', 1_500],
  ['0.65', 650],
  ['.5', undefined],
  ['7s', undefined],
  ['1e3', undefined],
  ['soon', undefined],
  ['', undefined],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
  ['Thu Jan  1 00:00:30 2026', 30_000],
  ['thu, 01 jan 2026 00:00:30 gmt', 30_000],
  ['Thu, 01 Jan 2026 01:00:30 +0100', 30_000],
  ['2026-01-01T00:00:30Z', 30_000],
  ['2026-01-01T01:00:30.5+01:00', 30_500],
  ['2026-01-01T00:00:30', undefined],
  ['Wed, 31 Dec 2025 23:59:30 GMT', undefined],
  ['99999999999999999999', 1e23],
])('Retry-After "%s" is %p ms', (text, waitMs) => {
  if (waitMs === undefined) expect(parseRetryAfter(text, NOW)).toBeUndefined();
  else expect(parseRetryAfter(text, NOW)).toEqual(waitMs);
});

test('a date without a zone is UTC, wherever the worker runs', () => {
  const asked = `import { parseRetryAfter } from ${JSON.stringify(new URL('./outcome.ts', import.meta.url).href)};
    console.log(parseRetryAfter('Thu, 01 Jan 2026 00:00:30', ${NOW}));`;
  const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', asked];
  const printed = execFileSync(process.execPath, args, { env: { ...process.env, TZ: 'America/New_York' } });
  expect(Number(printed)).toBe(30_000);
});

test('no Retry-After makes a wait that is not a positive number', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const waitMs = parseRetryAfter(text, NOW);
      expect(waitMs === undefined || waitMs > 0).toBe(true);
    }),
  );
});
