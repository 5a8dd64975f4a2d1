import { Stalls } from './stalls.ts';

test('time is counted for the reason that holds, and for no other', () => {
  const stalls = new Stalls();
  stalls.note('rate', 1_000);
  stalls.note('rate', 2_000);
  stalls.note('breaker', 3_000);
  stalls.note(undefined, 7_000);
  stalls.note('kafka', 9_000);
  expect([stalls.seconds('rate', 10_000), stalls.seconds('breaker', 10_000), stalls.seconds('kafka', 10_000)]).toEqual([
    2, 4, 1,
  ]);
  expect(stalls.seconds('lease', 10_000)).toBe(0);
});

test('waits that the customer caused are counted apart from our own', () => {
  const stalls = new Stalls();
  stalls.note('kafka', 1_000);
  stalls.note(undefined, 2_000);
  expect(stalls.wasStalledSince(0)).toBe(false);
  stalls.note('rate', 3_000);
  expect(stalls.wasStalledSince(5_000)).toBe(true);
  stalls.note(undefined, 4_000);
  expect(stalls.wasStalledSince(3_500)).toBe(true);
  expect(stalls.wasStalledSince(4_500)).toBe(false);
  stalls.noteResumed(6_000);
  expect(stalls.wasStalledSince(5_000)).toBe(true);
});
