import { lockedLately } from './state-export.ts';

test('invitations that wrong codes locked count for an hour', () => {
  const nowMs = 10 * 3_600_000;
  const found = lockedLately(
    [
      { state: 'locked', changedAtMs: nowMs - 1 },
      { state: 'locked', changedAtMs: nowMs - 3_599_999 },
      { state: 'locked', changedAtMs: nowMs - 3_600_000 },
      { state: 'revoked', changedAtMs: nowMs - 1 },
    ],
    nowMs,
  );
  expect(found).toBe(2);
});
