import { judge } from './steady-load.ts';

const SHORT = [5, 6, 7];

test.each([
  ['as fast beside the hostile tenant', [30, 40, 35], [40, 45, 90], SHORT, true],
  ['one round in which the machine was busy', [30, 900, 35], [40, 45, 1_200], SHORT, true],
  ['slower in each round', [30, 40, 35], [150, 180, 140], SHORT, false],
  ['slower in two rounds of three', [30, 40, 35], [40, 180, 140], SHORT, false],
  ['a busy machine', [300, 1_500, 900], [500, 1_900, 2_100], SHORT, true],
  ['starved on a busy machine', [300, 1_500, 900], [19_000, 19_400, 20_000], SHORT, false],
  ['long turns of the event loop', [30, 40, 35], [30, 40, 35], [60, 70, 10], false],
])('%s', (_what, alone, beside, waits, isWithinBounds) => {
  expect(judge(alone, beside, waits)).toMatchObject({ isWithinBounds });
});
