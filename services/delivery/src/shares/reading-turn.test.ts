import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReadingTurn } from './reading-turn.ts';
import { Turns } from './turns.ts';

test('a flood is read slice by slice, in order, and another customer is read at once', async () => {
  let nowMs = 0;
  const turns = new Turns(() => nowMs);
  const [hostile, healthy] = [new ReadingTurn(turns), new ReadingTurn(turns)];
  const read: string[] = [];
  const reading = (name: string) => () => {
    read.push(name);
    nowMs += 1;
  };
  for (let n = 1; n <= 5; n++) hostile.read(reading(`flood ${n}`));
  healthy.read(reading('answer'));
  expect(read).toEqual(['flood 1', 'flood 2', 'answer']);
  await nextTurn();
  expect(read).toEqual(['flood 1', 'flood 2', 'answer', 'flood 3', 'flood 4']);
  // What becomes readable now does not overtake what waits.
  hostile.read(reading('flood 6'));
  await nextTurn();
  await nextTurn();
  expect(read.slice(5)).toEqual(['flood 5', 'flood 6']);
});
