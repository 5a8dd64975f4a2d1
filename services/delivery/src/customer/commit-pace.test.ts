import { CommitPace } from './commit-pace.ts';

test('the interval grows with the customers that have something to commit, within its bounds', () => {
  const pace = new CommitPace(200, 5_000);
  const intervalOf = (busy: number) => {
    for (let i = 0; i < busy; i++) pace.enter();
    const { intervalMs } = pace;
    for (let i = 0; i < busy; i++) pace.leave();
    return intervalMs;
  };
  expect([0, 1, 100, 101, 1_000, 2_500, 10_000].map(intervalOf)).toEqual([200, 200, 200, 202, 2_000, 5_000, 5_000]);
  expect(intervalOf(0)).toBe(200);
});

test('a stated interval above the bound is kept', () => {
  expect(new CommitPace(600_000, 5_000).intervalMs).toBe(600_000);
});
